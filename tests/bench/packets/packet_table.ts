import { Lab } from "../../lab/namespaces.ts";
import { requires } from "../../lab/requires.ts";
import { layOut } from "../table.ts";
import { Iperf } from "./iperf.ts";
import { measurePackets, type PacketNumbers } from "./measure_packets.ts";
import type { TunnelKind, TunnelSite } from "./tunnel.ts";

/** What the cables do to datagrams. */
export interface Wire {
  readonly name: string;
  /** Whether a train of datagrams crosses the cable in one piece. */
  readonly offload: boolean;
  /** Datagrams of a thousand that vanish; the cable must carry them one by one. */
  readonly lost?: number;
}

export interface PacketTableOptions {
  readonly kinds: readonly TunnelKind[];
  readonly wires: readonly Wire[];
  readonly nodes: TunnelSite["nodes"];
  readonly progress: (text: string) => void;
}

const head = [
  "",
  ...["TCP 1", "TCP 1 back", "TCP 4", "TCP 4 back"].map((name) => `${name}`),
  ...["1200 B kpps", "64 B kpps", "ping p50 ms", "p99", "loaded p50", "p99", "CPU s/GB", "RSS MB"],
];

/** Every tunnel that can be had here over every wire, one row each. */
export async function packetTable(options: PacketTableOptions): Promise<string> {
  const { kinds, wires, nodes, progress } = options;
  const rows = [head];
  for (const wire of wires) {
    for (const kind of kinds) {
      const { ignore, reason } = requires({ namespaces: true, tun: true, commands: kind.commands });
      if (ignore) {
        rows.push([`${kind.name}: ${reason}`]);
        continue;
      }
      progress(`${kind.name}, ${wire.name}`);
      rows.push([`${kind.name}, ${wire.name}`, ...cells(await measure(kind, wire, nodes))]);
    }
  }
  return layOut(rows);
}

async function measure(
  kind: TunnelKind,
  wire: Wire,
  nodes: TunnelSite["nodes"],
): Promise<PacketNumbers> {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await Lab.create("pulsebench"));
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  for (const node of nodes) await lab.node(node);
  const cables = [];
  for (let i = 0; i + 1 < nodes.length; i++) cables.push(await lab.link(nodes[i]!, nodes[i + 1]!));
  for (const cable of cables) {
    if (!wire.offload) await cable.splitTrains();
    if (wire.lost !== undefined) await cable.loseUdp(wire.lost);
  }
  const tunnel = stack.use(await kind.start({ lab, cables, folder, nodes }));
  const iperf = await Iperf.start(lab, "a", "b");
  return await measurePackets(lab, iperf, tunnel);
}

function cells(numbers: PacketNumbers): string[] {
  const { tcp, datagrams, smallDatagrams, idle, loaded, cpuPerGigabyte, residentMb } = numbers;
  const optional = (value: number | undefined, places: number) =>
    value === undefined ? "" : value.toFixed(places);
  return [
    ...tcp.map((rate) => rate.toFixed(2)),
    ...[datagrams, smallDatagrams].map((rate) => (rate / 1_000).toFixed(0)),
    ...[idle.p50, idle.p99, loaded.p50, loaded.p99].map((time) => time.toFixed(3)),
    optional(cpuPerGigabyte, 2),
    optional(residentMb, 0),
  ];
}
