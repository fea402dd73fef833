import { parsePrefix } from "../filter/prefix.ts";
import type { Prefix } from "../filter/types.ts";
import type { Outbox } from "./outbox.ts";
import { Label } from "./label.ts";
import { mostPeers } from "./limits.ts";
import { Peer } from "./peer.ts";
import type { WirePort } from "./ports.ts";
import { RouteTable } from "./route_table.ts";
import type { LoopState } from "./state.ts";
import type { LabelTable, LoopTables } from "./types.ts";
import type { Way } from "./way.ts";

/** Makes the state what the tables say. @returns peers that are in them no more */
export function applyTables(
  state: LoopState,
  tables: LoopTables,
  wire: WirePort,
  outbox: Outbox,
): readonly Peer[] {
  const gone = new Set([...state.peers.values()].filter(({ known }) => known));
  const release = (ways: readonly Way[]) => {
    for (const { address } of ways) if (address !== null) outbox.forget(address);
  };
  const routes: { prefix: Prefix; value: Peer }[] = [];
  for (const table of tables.peers.slice(0, mostPeers)) {
    const peer = peerOf(state, table.index);
    if (peer === undefined) continue;
    gone.delete(peer);
    release(peer.replace(table, wire));
    for (const prefix of peer.addresses) routes.push({ prefix, value: peer });
  }
  // Of what lies behind an exit, addresses of nodes are no part.
  for (const table of tables.peers) {
    const peer = state.peers.get(table.index);
    for (const prefix of peer?.behind ?? []) routes.push({ prefix, value: peer! });
  }
  for (const peer of gone) release(peer.leave());
  state.routes = new RouteTable(routes);
  applyLabels(state, tables.labels, wire, outbox);
  return [...gone];
}

/** The peer of an index; undefined when there are too many. */
export function peerOf({ peers }: LoopState, index: number): Peer | undefined {
  const known = peers.get(index);
  if (known !== undefined || peers.size >= mostPeers) return known;
  const peer = new Peer(index);
  peers.set(index, peer);
  return peer;
}

/** What this node is, as the filter has it. */
export function filterSelf({ self: { addresses, behind } }: LoopTables) {
  return { addresses: addresses.map(parsePrefix), behind: behind.map(parsePrefix) };
}

function applyLabels(
  state: LoopState,
  tables: readonly LabelTable[],
  wire: WirePort,
  outbox: Outbox,
): void {
  const { receivers } = state;
  const wanted = new Map(tables.map((table) => [table.label, table]));
  for (const [index, label] of receivers) {
    if (!(label instanceof Label)) continue;
    const table = wanted.get(index);
    if (table?.endpoint === label.endpoint) {
      label.next = table.next;
      wanted.delete(index);
    } else {
      outbox.forget(label.address);
      receivers.delete(index);
    }
  }
  for (const { label, endpoint, next } of wanted.values()) {
    if (receivers.has(label)) continue;
    try {
      receivers.set(label, new Label(label, endpoint, wire.address(endpoint), next));
    } catch {
      // Not to be reached from this socket: what comes for it is unknown here.
    }
  }
}
