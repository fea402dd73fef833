import type { NodeId } from "../../../core/identity/mod.ts";
import { parsePrefix } from "../filter/prefix.ts";
import type { FilterPeer, FilterRules, Prefix } from "../filter/types.ts";
import { maxWays } from "../wire/segment.ts";
import { SendQueue } from "./fair_queue.ts";
import type { WirePort } from "./ports.ts";
import type { ReceiveKey } from "./receive_key.ts";
import type { SealKey } from "./seal_key.ts";
import type { PathTable, PeerTable, RulesTable } from "./types.ts";
import { Way } from "./way.ts";

const shut: FilterRules = { rules: [], otherwise: false };

/** What the loop knows of one other node. */
export class Peer implements FilterPeer {
  readonly index: number;
  id: NodeId = "";
  /** In the tables: before, and after, nothing is carried. */
  known = false;
  addresses: readonly Prefix[] = [];
  behind: readonly Prefix[] = [];
  inbound: FilterRules = shut;
  outbound: FilterRules = shut;
  fec = false;
  /** Ways there are, and those of them that packets are sent by: all that seem to work, or all when none does. */
  ways: readonly Way[] = [];
  usable: readonly Way[] = [];
  /** Size of segments last said. */
  pathMtu = 0;
  sealing: SealKey | undefined;
  readonly receiving: ReceiveKey[] = [];
  readonly queue = new SendQueue();
  /** Where it was heard of last, when that is news. */
  roamed = "";
  packetsIn = 0;
  packetsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  lost = 0;
  repaired = 0;
  /** A bit for each of its ways that loses segments. */
  lossyWays = 0;

  constructor(index: number) {
    this.index = index;
  }

  /**
   * Takes what the tables say of it now. Ways that are still there keep what was learnt of them.
   * @returns ways that are gone
   */
  replace(table: PeerTable, wire: WirePort): readonly Way[] {
    this.known = true;
    this.id = table.id;
    this.addresses = table.addresses.map(parsePrefix);
    this.behind = table.behind.map(parsePrefix);
    this.inbound = filterRules(table.inbound);
    this.outbound = filterRules(table.outbound);
    this.fec = table.fec;
    if (!this.fec) { for (const way of this.ways) way.parity.encoder = undefined; }
    return this.#replaceWays(table.paths.slice(0, maxWays), wire);
  }

  /** @returns ways that are gone */
  leave(): readonly Way[] {
    const gone = this.ways;
    this.known = false;
    this.ways = this.usable = [];
    return gone;
  }

  /** Some way works now that did not, or the other way round. One in doubt carries only what has no better one. */
  sortWays(): void {
    const sure = this.ways.filter((way) => way.sure);
    const alive = sure.length > 0 ? sure : this.ways.filter((way) => way.alive);
    this.usable = alive.length > 0 ? alive : this.ways;
  }

  #replaceWays(paths: readonly PathTable[], wire: WirePort): readonly Way[] {
    const free = [...this.ways];
    const take = (matches: (way: Way) => boolean) => {
      const at = free.findIndex(matches);
      return at < 0 ? undefined : free.splice(at, 1)[0];
    };
    // The same path first; then one by the same neighbour, whose label or address is another one now.
    const kept = paths.map((path) =>
      take(({ via, endpoint, label }) =>
        via === path.via && endpoint === path.endpoint && label === path.label
      )
    );
    const ways: Way[] = [];
    for (const [i, path] of paths.entries()) {
      const way = kept[i] ??
        take(({ via, endpoint }) =>
          via === path.via && (endpoint === null) === (path.endpoint === null)
        );
      const one = way ?? this.#open(path, [...kept, ...ways, ...free], wire);
      if (one === undefined) continue;
      if (one.endpoint !== path.endpoint && !readdress(one, path.endpoint, wire)) {
        free.push(one);
        continue;
      }
      one.label = path.label;
      one.weight = path.weight;
      ways.push(one);
    }
    this.ways = ways;
    this.sortWays();
    return free;
  }

  #open(
    path: PathTable,
    others: readonly (Way | undefined)[],
    wire: WirePort,
  ): Way | undefined {
    const used = new Set(others.map((way) => way?.number));
    let number = 0;
    while (used.has(number)) number++;
    if (number >= maxWays) return undefined;
    if (path.endpoint === null) return new Way(this.id, number, path, null);
    try {
      return new Way(this.id, number, path, wire.address(path.endpoint));
    } catch {
      // Not to be reached from this socket, such as IPv6 without any: no way, and the statistics say so.
      return undefined;
    }
  }
}

function readdress(way: Way, endpoint: string | null, wire: WirePort): boolean {
  if (endpoint === null || way.address === null) return false;
  try {
    const address = wire.address(endpoint);
    way.move(address);
    wire.release(address);
    way.endpoint = endpoint;
    return true;
  } catch {
    return false;
  }
}

function filterRules({ rules, otherwise }: RulesTable): FilterRules {
  return {
    otherwise,
    rules: rules.map(({ behind, ...rule }) => ({
      ...rule,
      ...(behind !== undefined && { behind: parsePrefix(behind) }),
    })),
  };
}
