import { ipForms } from "../address/ip_class.ts";
import type { NodeId } from "../identity/types.ts";
import { type BitRow, emptyRow, setBits } from "./bit_rows.ts";
import { cidrKey, maskBytes } from "../address/cidr.ts";
import { GlobTable } from "./glob_table.ts";
import { parsePattern } from "./pattern.ts";
import type { AclRule, PolicyNode } from "./types.ts";

/** The rules by what their pattern on one side says. */
class Side {
  readonly any: BitRow;
  readonly #byTag = new Map<string, number[]>();
  readonly #byText = new Map<string, number[]>();
  readonly #globs = new GlobTable();
  readonly #byCidr = new Map<string, number[]>();
  readonly #prefixes = new Set<number>();

  constructor(rules: readonly AclRule[], side: "from" | "to") {
    this.any = emptyRow(rules.length);
    rules.forEach((rule, n) => {
      const pattern = parsePattern(rule[side], side);
      if (pattern.kind === "any") setBits(this.any, [n]);
      else if (pattern.kind === "tag") push(this.#byTag, pattern.tag, n);
      else if (pattern.kind === "cidr") {
        push(this.#byCidr, cidrKey(pattern.cidr), n);
        this.#prefixes.add(pattern.cidr.prefix);
      } else {
        push(this.#byText, pattern.text, n);
        if (pattern.glob?.literal === false) this.#globs.add(pattern.text, pattern.glob, n);
      }
    });
  }

  /** Rules whose pattern matches the node. */
  node(id: NodeId, node: PolicyNode | undefined): BitRow {
    const row = this.any.slice();
    setBits(row, this.#byText.get(id));
    this.#globs.mark(row, id);
    if (node === undefined) return row;
    if (node.name !== null) setBits(row, this.#byText.get(node.name));
    for (const tag of node.tags) setBits(row, this.#byTag.get(tag));
    return row;
  }

  /** Rules whose range holds the address, and those for everything. */
  address(forms: readonly Uint8Array[]): BitRow {
    const row = this.any.slice();
    for (const bytes of forms) {
      for (const prefix of this.#prefixes) {
        if (prefix > bytes.length * 8) continue;
        setBits(row, this.#byCidr.get(cidrKey({ bytes: maskBytes(bytes, prefix), prefix })));
      }
    }
    return row;
  }

  /** Rules with a range. */
  ranges(): BitRow {
    const row = emptyRow(this.any.length * 32);
    for (const rules of this.#byCidr.values()) setBits(row, rules);
    return row;
  }
}

function push(map: Map<string, number[]>, key: string, rule: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [rule]);
  else list.push(rule);
}

/**
 * Which rules match one side of a flow, as rows of bits. A flow's rule is the first bit common to the row of where it comes
 * from and the row of where it goes to, whose ports and protocols fit.
 */
export class RuleIndex {
  readonly #from: Side;
  readonly #to: Side;
  readonly #nodes: ReadonlyMap<NodeId, PolicyNode>;
  readonly #denies: BitRow;
  /** Ranges that are allowed. */
  readonly #allowedRanges: BitRow;

  constructor(rules: readonly AclRule[], nodes: ReadonlyMap<NodeId, PolicyNode>) {
    this.#from = new Side(rules, "from");
    this.#to = new Side(rules, "to");
    this.#nodes = nodes;
    this.#denies = emptyRow(rules.length);
    rules.forEach(({ action }, n) => {
      if (action === "deny") setBits(this.#denies, [n]);
    });
    this.#allowedRanges = this.#to.ranges().map((word, n) => word & ~this.#denies[n]!);
  }

  from(id: NodeId): BitRow {
    return this.#from.node(id, this.#nodes.get(id));
  }

  /** For a flow that ends at the node itself. */
  to(id: NodeId): BitRow {
    return this.#to.node(id, this.#nodes.get(id));
  }

  /** For a flow to an address, wherever it leaves the mesh. */
  address(text: string): BitRow {
    return this.#to.address(ipForms(text));
  }

  /** For a flow to an address that leaves the mesh at a node: what closes the node closes what lies behind it. */
  through(to: BitRow, address: BitRow): BitRow {
    return address.map((word, n) => word | (to[n]! & this.#denies[n]!));
  }

  /** For a flow that ends at the node or behind it, nobody here knows: a range that is allowed may hold the address. */
  unseen(to: BitRow): BitRow {
    return to.map((word, n) => word | this.#allowedRanges[n]!);
  }
}
