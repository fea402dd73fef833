import { Lab } from "../../lab/namespaces.ts";
import { requires } from "../../lab/requires.ts";
import { makePeer, makeTables } from "../../../plugins/tun-fec/loop/testing.ts";
import { JsonChild } from "../json_child.ts";
import { layOut } from "../table.ts";
import { Iperf } from "./iperf.ts";
import { pingTimes } from "./ping.ts";

const seconds = 3;
/** A ping each so many seconds. */
const interval = 0.02;
const hosts = { a: 1, b: 2, c: 3 } as const;
type Node = keyof typeof hosts;
const nodes: readonly Node[] = ["a", "b", "c"];
const inner = (node: Node) => `10.90.0.${hosts[node]}`;
const idOf = (node: Node) => `${hosts[node]}`.repeat(32);

const loads = [
  { name: "idle", streams: 0, direction: "there" },
  { name: "1 stream", streams: 1, direction: "there" },
  { name: "1 stream back", streams: 1, direction: "back" },
  { name: "4 streams", streams: 4, direction: "there" },
  { name: "4 streams back", streams: 4, direction: "back" },
] as const;

/** What a bulk flow between `a` and `b` does to pings between `a` and `c`, by the number of queues. */
export async function neighbourTable(progress: (text: string) => void): Promise<string> {
  const { ignore, reason } = requires({
    namespaces: true,
    tun: true,
    commands: ["iperf3", "ping"],
  });
  if (ignore) return `${reason}`;
  const rows = [["queues", "load", "Gbit/s", "ping p50 ms", "p99"]];
  for (const queues of [1, 8]) {
    progress(`a neighbour's ping, ${queues} queues`);
    await using stack = new AsyncDisposableStack();
    const lab = stack.use(await Lab.create("pulsebench"));
    await star(lab, stack, queues);
    const iperf = await Iperf.start(lab, "a", "b");
    const count = Math.floor(seconds * 0.9 / interval);
    const ping = () => pingTimes(lab, "a", inner("c"), count, interval);
    // Warm: the first packets compile, resolve and grow.
    await Promise.all([iperf.tcp(inner("b"), 1, 1), ping()]);
    for (const { name, streams, direction } of loads) {
      const [bulk, times] = await Promise.all([
        streams === 0 ? undefined : iperf.tcp(inner("b"), seconds, streams, direction),
        ping(),
      ]);
      const rate = bulk?.gigabitsPerSecond.toFixed(2) ?? "";
      rows.push([`${queues}`, name, rate, times.p50.toFixed(2), times.p99.toFixed(2)]);
    }
  }
  return layOut(rows);
}

/** `a` with a cable to each of the others, and a packet loop in each. */
async function star(lab: Lab, stack: AsyncDisposableStack, queues: number): Promise<void> {
  for (const node of nodes) await lab.node(node);
  const cables = { b: await lab.link("a", "b"), c: await lab.link("a", "c") };
  const module = new URL("../peers/packet_loop.ts", import.meta.url);
  const loops = new Map<Node, { readonly child: JsonChild; readonly port: number }>();
  for (const node of nodes) {
    const inside = ["ip", "netns", "exec", lab.namespace(node)];
    const child = stack.use(new JsonChild(module, ["mesh0", inner(node), `${queues}`], inside));
    loops.set(node, { child, port: await child.number({ do: "open" }, "port") });
  }
  for (const node of nodes) {
    const others: readonly Node[] = node === "a" ? ["b", "c"] : ["a"];
    const peers = others.map((other) => {
      const cable = cables[node === "c" || other === "c" ? "c" : "b"];
      const endpoint = `${cable.ipv4(other)}:${loops.get(other)!.port}`;
      const path = { endpoint, via: idOf(other), label: 0, weight: 1 };
      const addresses = [`${inner(other)}/32`];
      return makePeer({ id: idOf(other), index: hosts[other], addresses, paths: [path] });
    });
    const keys = others.flatMap((other) => [
      { do: "receive", peer: hosts[other], key: keyOf(other, node) },
      { do: "seal", peer: hosts[other], key: keyOf(node, other) },
    ]);
    const tables = makeTables([`${inner(node)}/32`], peers);
    await loops.get(node)!.child.call({ tell: [{ do: "tables", tables }, ...keys] });
  }
}

function keyOf(from: Node, to: Node) {
  const receiver = hosts[from] * 16 + hosts[to];
  const key = receiver.toString(16).padStart(2, "0").repeat(16);
  return { epoch: 1, receiver, cipher: "aes-128-gcm", key };
}
