import { z } from "zod";
import type { Lab } from "../../lab/namespaces.ts";
import { eventually } from "../../lab/wait.ts";

const tcpReport = z.object({
  end: z.object({
    sum_received: z.object({ bytes: z.number(), bits_per_second: z.number() }),
  }),
});

const udpReport = z.object({
  end: z.object({
    sum: z.object({ packets: z.number(), lost_packets: z.number(), seconds: z.number() }),
  }),
});

/** What arrived. */
export interface Received {
  readonly gigabitsPerSecond: number;
  readonly bytes: number;
}

export interface ReceivedDatagrams {
  readonly perSecond: number;
  /** Of those that were sent. */
  readonly lost: number;
}

/** iperf3 from one node of a lab to a server in another. */
export class Iperf {
  readonly #lab: Lab;
  readonly #from: string;

  private constructor(lab: Lab, from: string) {
    this.#lab = lab;
    this.#from = from;
  }

  /** Starts a server in `to`, which ends with the lab. */
  static async start(lab: Lab, from: string, to: string): Promise<Iperf> {
    lab.spawn(to, ["iperf3", "-s"], { stdout: "null", stderr: "null" });
    await eventually(async () => (await lab.exec(to, "ss", "-Hltn", "sport = :5201")) !== "", {
      what: "iperf3 listens",
    });
    return new Iperf(lab, from);
  }

  async tcp(
    address: string,
    seconds: number,
    streams: number,
    direction: "there" | "back" = "there",
  ): Promise<Received> {
    const back = direction === "back" ? ["-R"] : [];
    const { end } = tcpReport.parse(
      await this.#run(address, seconds, ["-P", `${streams}`, ...back]),
    );
    const { bits_per_second, bytes } = end.sum_received;
    return { gigabitsPerSecond: bits_per_second / 1e9, bytes };
  }

  /** @param perSecond datagrams to offer; 0: as many as the sender can */
  async udp(
    address: string,
    seconds: number,
    size: number,
    perSecond: number,
  ): Promise<ReceivedDatagrams> {
    const args = ["-u", "-l", `${size}`, "-b", `${perSecond * size * 8}`];
    const report = udpReport.safeParse(await this.#run(address, seconds, args));
    // A flood can end the two programs' own conversation, too: nobody knows then what arrived.
    if (!report.success) return { perSecond: 0, lost: 1 };
    const { sum } = report.data.end;
    const received = sum.packets - sum.lost_packets;
    return { perSecond: received / sum.seconds, lost: sum.lost_packets / sum.packets };
  }

  async #run(address: string, seconds: number, args: readonly string[]): Promise<unknown> {
    const command = ["iperf3", "-c", address, "-t", `${seconds}`, "-J", ...args];
    const timeoutMs = (seconds + 30) * 1_000;
    const { stdout, stderr, code } = await this.#lab.run(this.#from, command, { timeoutMs });
    if (code !== 0) throw new Error(`${command.join(" ")} failed: ${stderr}${stdout.slice(-500)}`);
    return JSON.parse(stdout);
  }
}
