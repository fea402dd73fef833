import { ipToText } from "../identity/ip_text.ts";
import { ipForms } from "../address/ip_class.ts";
import type { NodeId } from "../identity/types.ts";
import type { BitRow } from "./bit_rows.ts";
import { RuleIndex } from "./rule_index.ts";
import { RuleTable } from "./rule_table.ts";
import type { AclRule, FlowProtocol, PolicyFlow, PolicyNode, Verdict } from "./types.ts";
import { VerdictCache } from "./verdict_cache.ts";

/** Ids and addresses whose rows are held (1.25 KB each per side at 10,000 rules). One more, and all are forgotten. */
const maxIds = 4_096;
const maxAddresses = 2_048;

const open: Verdict = { allowed: true, rule: null, reason: "open" };
const unmatched: Verdict = { allowed: false, rule: null, reason: "unmatched" };

/** The rows of an id, made when they are first asked for. */
interface Rows {
  readonly number: number;
  from?: BitRow;
  to?: BitRow;
  unseen?: BitRow;
}

/** Address numbers that stand for no address. */
const itself = 0;
const unseen = 1;

/**
 * Rules, ready to judge flows: the first that matches decides, no rules at all allow everything, and what no rule matches is
 * denied. Judging works on rows of bits, made for each node when it is first seen, and on a cache of verdicts; both are bounded.
 */
export class CompiledPolicy {
  readonly rules: readonly AclRule[];
  readonly nodes: ReadonlyMap<NodeId, PolicyNode>;
  readonly index: RuleIndex;
  readonly table: RuleTable;
  /** By address as text in its one canonical form. */
  readonly #owners = new Map<string, NodeId>();
  readonly #verdicts: readonly Verdict[];
  #cache: VerdictCache | undefined;
  readonly #rows = new Map<NodeId, Rows>();
  readonly #addresses = new Map<string, { readonly number: number; readonly row: BitRow }>();

  constructor(rules: readonly AclRule[], nodes: Iterable<PolicyNode>) {
    this.rules = rules;
    this.nodes = new Map(Array.from(nodes, (node) => [node.id, node]));
    this.index = new RuleIndex(rules, this.nodes);
    this.table = new RuleTable(rules);
    this.#verdicts = rules.map(({ action }, rule) => ({
      allowed: action === "allow",
      rule,
      reason: "rule",
    }));
    for (const { id, addresses } of this.nodes.values()) {
      for (const address of addresses ?? []) {
        for (const bytes of ipForms(address)) this.#owners.set(ipToText(bytes), id);
      }
    }
  }

  /** The node that has a mesh address; undefined: nobody has, as far as the policy knows. */
  owner(address: string): NodeId | undefined {
    for (const bytes of ipForms(address)) {
      const id = this.#owners.get(ipToText(bytes));
      if (id !== undefined) return id;
    }
    return undefined;
  }

  /** May the flow be, and which rule says so? */
  evaluate(flow: PolicyFlow): Verdict {
    const { from, to, protocol, port, address } = flow;
    if (this.rules.length === 0) return open;
    this.#makeRoom();
    if (address === undefined) return this.#judge(from, to, itself, undefined, protocol, port);
    const owner = this.owner(address);
    if (owner !== undefined) return this.#judge(from, owner, itself, undefined, protocol, port);
    const behind = this.#address(address);
    return this.#judge(from, to, behind.number, behind.row, protocol, port);
  }

  /**
   * May there be such a flow to the node, or to some address behind it? For a relay, which is not told the address. What this
   * denies, `evaluate` denies for every address but another node's.
   */
  evaluateUnseen({ from, to, protocol, port }: PolicyFlow): Verdict {
    if (this.rules.length === 0) return open;
    this.#makeRoom();
    return this.#judge(from, to, unseen, undefined, protocol, port);
  }

  #judge(
    fromId: NodeId,
    toId: NodeId,
    address: number,
    behind: BitRow | undefined,
    protocol: FlowProtocol,
    port: number,
  ): Verdict {
    const from = this.#rowsOf(fromId);
    const to = this.#rowsOf(toId);
    const service = (protocol === "tcp" ? 0 : protocol === "udp" ? 65_536 : 131_072) + port;
    const cache = this.#cache ??= new VerdictCache();
    const known = cache.get(from.number, to.number, address, service);
    if (known !== undefined) return this.#verdicts[known] ?? unmatched;
    from.from ??= this.index.from(fromId);
    to.to ??= this.index.to(toId);
    let row = to.to;
    if (address === unseen) row = to.unseen ??= this.index.unseen(to.to);
    else if (behind !== undefined) row = this.index.through(to.to, behind);
    const rule = this.table.first(from.from, row, protocol, port);
    cache.put(rule);
    return this.#verdicts[rule] ?? unmatched;
  }

  #rowsOf(id: NodeId): Rows {
    let rows = this.#rows.get(id);
    if (rows === undefined) {
      rows = { number: this.#rows.size };
      this.#rows.set(id, rows);
    }
    return rows;
  }

  #address(text: string): { readonly number: number; readonly row: BitRow } {
    let known = this.#addresses.get(text);
    if (known === undefined) {
      known = { number: this.#addresses.size + 2, row: this.index.address(text) };
      this.#addresses.set(text, known);
    }
    return known;
  }

  /** For two ids and an address, before any of them has its number: numbers must not change while they are in use. */
  #makeRoom(): void {
    if (this.#rows.size <= maxIds - 2 && this.#addresses.size < maxAddresses - 2) return;
    this.#rows.clear();
    this.#addresses.clear();
    this.#cache?.clear();
  }
}

/** Makes rules and what they refer to ready to judge flows. A node that is not among `nodes` has neither name nor tags. */
export function compilePolicy(
  rules: readonly AclRule[],
  nodes: Iterable<PolicyNode>,
): CompiledPolicy {
  return new CompiledPolicy(rules, nodes);
}
