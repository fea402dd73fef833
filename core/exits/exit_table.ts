import { type Cidr, cidrText, parseCidr } from "../address/mod.ts";
import type { NodeId } from "../identity/types.ts";
import { chooseExit } from "./choose_exit.ts";
import { PrefixMap } from "./prefix_map.ts";
import { isWide, liesIn, reservedRanges, routedBytes } from "./ranges.ts";
import type { ExitChoice, ExitFacts, ExitNode, ExitRoute, ExitRouteState } from "./types.ts";

/** Announced ranges that nobody approved, in the list for people. */
const maxUnapproved = 1_000;

/** Where an address goes. */
export interface FoundExit {
  readonly cidr: string;
  /** This node itself where it leads there. */
  readonly via: NodeId;
}

/** A range that is approved and announced. */
interface Candidate {
  readonly cidr: Cidr;
  readonly exit: ExitNode;
}

/**
 * Which addresses outside the mesh are reached through which node. A range counts when its node announces exactly that range and
 * the signed network config approves exactly that: neither a node nor the config alone can draw traffic.
 */
export class ExitTable {
  readonly #self: NodeId;
  #found = new PrefixMap<FoundExit | "reserved">();
  #routes: readonly ExitRoute[] = [];
  /** Who was used for a range last. */
  #used = new Map<string, NodeId>();

  constructor(self: NodeId) {
    this.#self = self;
  }

  /** Everything at once; what was used before only settles between exits that are about equally good. */
  update(facts: ExitFacts): void {
    const reserved = reservedRanges(facts.meshCidrs);
    const found = new PrefixMap<FoundExit | "reserved">();
    for (const cidr of reserved) found.set(cidr, "reserved");
    const used = new Map<string, NodeId>();
    const routes: ExitRoute[] = [];
    const { candidates, others } = sort(facts);
    for (const [text, group] of candidates) {
      const { cidr } = group[0]!;
      const own = group.some(({ exit }) => exit.id === this.#self);
      const usable = (exit: ExitNode) => mayUse(facts.choice, cidr, exit.id);
      const via = liesIn(reserved, cidr)
        ? undefined
        : own
        ? this.#self
        : chooseExit(group.map(({ exit }) => exit).filter(usable), this.#used.get(text));
      if (via !== undefined) {
        found.set(cidr, { cidr: text, via });
        used.set(text, via);
      }
      for (const { exit } of group) {
        const state = liesIn(reserved, cidr)
          ? "reserved"
          : exit.id === this.#self
          ? "own"
          : exit.id === via
          ? "active"
          : own
          ? "standby"
          : !usable(exit)
          ? "optional"
          : exit.score === null
          ? "unreachable"
          : "standby";
        routes.push({ cidr: text, via: exit.id, state, score: exit.score });
      }
    }
    this.#found = found;
    this.#used = used;
    this.#routes = [...routes, ...others].sort(byRange);
  }

  /**
   * Who leads to the address; undefined: nobody.
   *
   * @param avoid exits that have just failed: another one of the same range takes their place
   */
  find(address: string, avoid: readonly NodeId[] = []): FoundExit | undefined {
    const bytes = routedBytes(address);
    const found = bytes === null ? undefined : this.#found.find(bytes);
    if (found === "reserved" || found === undefined || !avoid.includes(found.via)) {
      return found === "reserved" ? undefined : found;
    }
    // They are listed with the best one first.
    const other = this.#routes.find(({ cidr, via, state }) =>
      cidr === found.cidr && state === "standby" && !avoid.includes(via)
    );
    return other && { cidr: other.cidr, via: other.via };
  }

  /** Every range that is announced or approved, with what becomes of it. */
  list(): readonly ExitRoute[] {
    return this.#routes;
  }

  /** Ranges used through each exit. */
  behind(): ReadonlyMap<NodeId, readonly string[]> {
    const ranges = new Map<NodeId, string[]>();
    for (const { cidr, via, state } of this.#routes) {
      if (state !== "active") continue;
      const list = ranges.get(via);
      if (list === undefined) ranges.set(via, [cidr]);
      else list.push(cidr);
    }
    return ranges;
  }

  /** Ranges that this node leads to for others: announced by it, and approved. */
  own(): readonly string[] {
    return this.#routes.filter(({ state }) => state === "own").map(({ cidr }) => cidr);
  }
}

function mayUse(choice: ExitChoice, cidr: Cidr, exit: NodeId): boolean {
  if (!isWide(cidr)) return true;
  return choice === "auto" || (choice !== "none" && choice.node === exit);
}

/** What can be used, by range, and what stands in the list only. */
function sort({ exits, approvals }: ExitFacts) {
  const approved = new Set(approvals.map(({ cidr, via }) => `${cidr} ${via}`));
  const candidates = new Map<string, Candidate[]>();
  const others: ExitRoute[] = [];
  const announced = new Set<string>();
  let unapproved = 0;
  for (const exit of exits) {
    const { id: via, score } = exit;
    for (const written of exit.cidrs) {
      const cidr = parseCidr(written);
      if (cidr === null) continue;
      const text = cidrText(cidr);
      const key = `${text} ${via}`;
      if (announced.has(key)) continue;
      announced.add(key);
      if (!approved.has(key)) {
        if (unapproved++ < maxUnapproved) others.push(route(text, via, "unapproved", score));
        continue;
      }
      const group = candidates.get(text);
      if (group === undefined) candidates.set(text, [{ cidr, exit }]);
      else group.push({ cidr, exit });
    }
  }
  for (const { cidr, via } of approvals) {
    if (!announced.has(`${cidr} ${via}`)) others.push(route(cidr, via, "unannounced", null));
  }
  return { candidates, others };
}

function route(cidr: string, via: NodeId, state: ExitRouteState, score: number | null): ExitRoute {
  return { cidr, via, state, score };
}

function byRange(a: ExitRoute, b: ExitRoute): number {
  return compare(a.cidr, b.cidr) || (a.score ?? Infinity) - (b.score ?? Infinity) ||
    compare(a.via, b.via);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
