import { setTimeout as sleep } from "node:timers/promises";
import { magic, segmentKind } from "../../plugins/tun-fec/wire/segment.ts";
import { Lab } from "../lab/namespaces.ts";
import { requires } from "../lab/requires.ts";
import { SystemMesh } from "../system/system_mesh.ts";
import { TunMesh, tunNeeds } from "../system/tun_mesh.ts";
import type { BenchGroup } from "./bench.ts";
import { JsonChild } from "./json_child.ts";
import { Iperf } from "./packets/iperf.ts";
import { treeUsage } from "./process_usage.ts";
import { sharedSite } from "./shared_site.ts";

const perSecond = 50_000;
const seconds = 2;
const [dataPort, closedPort] = [8_443, 9];
/** What leads to the packet loop, on the port it shares with QUIC; and what leads to QUIC. */
const marked = (magic * 256 + segmentKind.data).toString(16).padStart(8, "0");
const noise = "";

/** Two whole nodes, and a third machine at the second one's door that belongs to nobody. */
class FloodSite implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #iperf: Iperf;
  readonly #flood: JsonChild;
  readonly #address: string;
  /** The flooded one's process. */
  readonly #node: number;

  private constructor(
    owned: AsyncDisposableStack,
    iperf: Iperf,
    flood: JsonChild,
    address: string,
    node: number,
  ) {
    this.#owned = owned;
    this.#iperf = iperf;
    this.#flood = flood;
    this.#address = address;
    this.#node = node;
  }

  static async start(): Promise<FloodSite> {
    const { ignore, reason } = requires({ ...tunNeeds, commands: ["iperf3", "ethtool", "ping"] });
    if (ignore) throw new Error(`this bench ${reason}`);
    await using stack = new AsyncDisposableStack();
    const lab = stack.use(await Lab.create("pulsebench"));
    const directory = await Deno.makeTempDir({ prefix: "pulse-bench-" });
    stack.defer(() => Deno.remove(directory, { recursive: true }));
    for (const name of ["a", "b", "x"]) await lab.node(name);
    const [cable, door] = [await lab.link("a", "b"), await lab.link("x", "b")];
    await door.splitTrains();
    const tun = new TunMesh(stack.use(new SystemMesh(directory, lab)), lab);
    await tun.start("a", { b: cable.ipv4("a") });
    await tun.carried("a", "b", "fast");
    const { ipv4 } = await tun.addresses("b");
    await tun.untilPinged("a", ipv4, 30_000);
    const iperf = await Iperf.start(lab, "a", "b");
    const module = new URL("./peers/flood.ts", import.meta.url);
    const inside = ["ip", "netns", "exec", lab.namespace("x")];
    const flood = stack.use(new JsonChild(module, [door.ipv4("b")], inside));
    return new FloodSite(stack.move(), iperf, flood, ipv4, tun.mesh.node("b").pid);
  }

  /** Gbit/s of one TCP connection through the tunnel. */
  async flow(): Promise<number> {
    return (await this.#iperf.tcp(this.#address, seconds, 1)).gigabitsPerSecond;
  }

  /** Does something beside a flood. */
  async flooded<T>(port: number, head: string, act: () => Promise<T>): Promise<T> {
    await this.#flood.call({ port, perSecond, head });
    const done = await act();
    const rate = await this.#flood.number({ stop: true }, "perSecond");
    if (rate < perSecond * 0.9) {
      throw new Error(`only ${Math.round(rate)} datagrams a second were sent of ${perSecond}`);
    }
    return done;
  }

  /** Percent of one core that a process takes while there is a flood and nothing else, its kernel time included. */
  async cpu(of: "flood" | "node", port: number, head: string): Promise<number> {
    const pid = of === "flood" ? this.#flood.pid : this.#node;
    const spent = () => treeUsage(pid).cpuSeconds;
    return await this.flooded(port, head, async () => {
      const before = spent();
      await sleep(seconds * 1_000);
      return 100 * (spent() - before) / seconds;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

const onSite = sharedSite(() => FloodSite.start());

/** What is left of a flow while strangers send at the door. */
export const floodBenches: readonly BenchGroup[] = [{
  title: `One TCP connection through the tunnel beside ${perSecond} garbage datagrams a second`,
  rounds: 5,
  benches: [
    {
      name: "packets-calm",
      title: "no flood",
      unit: "Gbit/s",
      start: onSite((site) => site.flow()),
    },
    {
      name: "packets-flood-closed",
      title: "at a port of the same machine where nobody listens",
      unit: "Gbit/s",
      against: { name: "packets-calm" },
      start: onSite((site) => site.flooded(closedPort, noise, () => site.flow())),
    },
    {
      name: "packets-flood",
      title: "at the data port, marked as segments",
      unit: "Gbit/s",
      against: { name: "packets-calm", target: 0.75 },
      start: onSite((site) => site.flooded(dataPort, marked, () => site.flow())),
    },
    {
      name: "packets-flood-quic",
      title: "at the same port, for QUIC",
      unit: "Gbit/s",
      against: { name: "packets-calm", target: 0.75 },
      start: onSite((site) => site.flooded(dataPort, noise, () => site.flow())),
    },
    {
      name: "packets-flood-cpu",
      title: "the flood's own share of a core",
      unit: "%",
      start: onSite((site) => site.cpu("flood", closedPort, noise)),
    },
    {
      name: "packets-flood-node",
      title: "the node's own share of a core for it, beside nothing else",
      unit: "%",
      start: onSite((site) => site.cpu("node", dataPort, marked)),
    },
  ],
}];
