import { z } from "zod";
import { segmentKind } from "../../../plugins/tun-fec/wire/segment.ts";
import { seededRandom } from "../../../core/router/testing.ts";
import { burstyLoss, type LossModel, randomLoss } from "../../lab/loss_model.ts";
import { eventually } from "../../lab/wait.ts";
import { pingTimes } from "../packets/ping.ts";
import { median } from "../statistics.ts";
import type { DatagramFlow } from "./datagram_flow.ts";
import { type FecPair, type FecSite, inner } from "./fec_site.ts";

/** Datagrams of 1200 bytes a second: 77 Mbit/s. */
const perSecond = 8_000;
/** While the far end sees what is lost and the near one what to do about it. */
const warmMs = 1_200;
const ms = 2_000;
const tcpSeconds = 7;

/** What a path does. @param burst mean run of losses; 1: they are independent */
export interface PathLoss {
  readonly loss: number;
  readonly burst: number;
}

/** Shares of datagrams, but for the overhead. */
export interface DatagramNumbers {
  readonly residual: number;
  /** Bytes of parity for each byte of data, on the wire. */
  readonly overhead: number;
  /** Of the segments that were lost. */
  readonly repaired: number;
}

/** A steady flow over a path, once parity has got used to it. */
export async function measureDatagrams(
  site: FecSite,
  flow: DatagramFlow,
  path: PathLoss,
  fec: boolean,
): Promise<DatagramNumbers> {
  using _ = impair(site, path, 0);
  await using pair = await site.pair("wire", fec);
  // Without parity there is only the size of the path to be found.
  await flow.run(inner("b"), perSecond, fec ? warmMs : warmMs / 4);
  using seen = watch(site, pair);
  const residual = await flow.run(inner("b"), perSecond, fec ? ms : ms / 2);
  return { residual, ...await seen.numbers() };
}

const tcpReport = z.object({
  end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }),
});

/** One stream of TCP (cubic) over a path that takes 25 ms each way, and has carried datagrams before. @returns Mbit/s */
export async function measureTcp(
  site: FecSite,
  flow: DatagramFlow,
  path: PathLoss,
  fec: boolean,
): Promise<Omit<DatagramNumbers, "residual"> & { readonly megabits: number }> {
  const { lab } = site;
  // Before the loops meet: a path that becomes longer while it is used seems to have filled up.
  using _ = impair(site, path, 25);
  await using pair = await site.pair("wire", fec);
  await flow.run(inner("b"), 2_000, warmMs);
  // Ends with the lab, or with its only client.
  lab.spawn("b", ["iperf3", "-s", "-1"], { stdout: "null", stderr: "null" });
  await eventually(async () => (await lab.exec("b", "ss", "-Hltn", "sport = :5201")) !== "", {
    what: "iperf3 listens",
  });
  using seen = watch(site, pair);
  const argv = ["iperf3", "-J", "-C", "cubic", "-t", `${tcpSeconds}`, "-c", inner("b")];
  const { stdout } = await lab.run("a", argv, { timeoutMs: 60_000 });
  const { end } = tcpReport.parse(JSON.parse(stdout));
  return { megabits: end.sum_received.bits_per_second / 1e6, ...await seen.numbers() };
}

/** Medians of pings over a cable that loses nothing, without parity and with it, in turns. @returns milliseconds */
export async function measurePings(site: FecSite): Promise<{ off: number; on: number }> {
  const times: { off: number[]; on: number[] } = { off: [], on: [] };
  for (const fec of ["off", "on", "on", "off"] as const) {
    await using _ = await site.pair("cable", fec === "on");
    // Warm: code that runs often is compiled.
    await pingTimes(site.lab, "a", inner("b"), 200, 0.002);
    times[fec].push((await pingTimes(site.lab, "a", inner("b"), 400, 0.002)).p50);
  }
  return { off: median(times.off), on: median(times.on) };
}

/** Both ways alike, until it is disposed of: reports and answers are lost, too. */
function impair({ wire: { there, back } }: FecSite, path: PathLoss, delayMs: number): Disposable {
  const both = [there, back];
  both.forEach((direction, i) => {
    direction.loss = model(path, i + 1);
    direction.delayMs = delayMs;
  });
  return {
    [Symbol.dispose]() {
      for (const direction of both) {
        direction.loss = undefined;
        direction.delayMs = 0;
      }
    },
  };
}

function model({ loss, burst }: PathLoss, seed: number): LossModel | undefined {
  if (loss === 0) return undefined;
  const random = seededRandom(seed);
  return burst === 1 ? randomLoss(loss, random) : burstyLoss(loss, burst, random);
}

/** Counts what leaves the near end, and what the far end misses and repairs. */
function watch({ wire }: FecSite, pair: FecPair) {
  const sent = { data: 0, parity: 0 };
  const before = pair.stats();
  wire.there.inspect = (bytes, at, length) => {
    sent[bytes[at + 3] === segmentKind.parity ? "parity" : "data"] += length;
  };
  return {
    async numbers(): Promise<Omit<DatagramNumbers, "residual">> {
      const [first, last] = [await before, await pair.stats()];
      const lost = last.lost - first.lost;
      return {
        overhead: sent.parity / sent.data,
        // What is repaired is not seen as lost at the same time.
        repaired: lost === 0 ? 0 : Math.min(1, (last.repaired - first.repaired) / lost),
      };
    },
    [Symbol.dispose]() {
      wire.there.inspect = undefined;
    },
  };
}
