import { formatHostPort } from "../address/mod.ts";
import type { Node } from "./node.ts";

/** All that matters for packets that leave the mesh, in plain data. */
export interface ExitSnapshot {
  readonly own: readonly string[];
  readonly active: readonly string[];
  readonly use: string | null;
  readonly killswitch: boolean;
  readonly meshCidrs: readonly string[];
  readonly port: number;
  readonly underlay: readonly string[];
}

/** Where other nodes are dialled: more of them than any node has links. */
const maxUnderlay = 512;

/** What a plugin that changes this machine's routing goes by. */
export function exitSnapshot(node: Node): ExitSnapshot {
  const { packetExits } = node;
  const active = [...packetExits.behind().values()].flat();
  return {
    own: packetExits.own(),
    active: [...new Set(active)].sort(),
    use: packetExits.use,
    killswitch: packetExits.killswitch,
    meshCidrs: packetExits.meshCidrs(),
    port: node.listeners.address.port,
    underlay: underlayAddresses(node),
  };
}

/** Addresses of other nodes as IP literals: those linked now, those the operator named, those known of neighbours. */
function underlayAddresses(node: Node): readonly string[] {
  const found = new Set<string>();
  const linked = node.linkedPeers();
  for (const id of linked) {
    const link = node.link(id);
    if (link?.role === "dialler") found.add(link.session.remoteAddress);
  }
  for (const address of node.peerAddresses) found.add(formatHostPort(address));
  for (const id of linked) {
    for (const address of node.record(id)?.report.addresses ?? []) found.add(address);
  }
  return [...found].filter((text) => /^(\[[0-9a-f:]+\]|[0-9.]+):\d+$/.test(text))
    .slice(0, maxUnderlay);
}
