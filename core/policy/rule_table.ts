import type { BitRow } from "./bit_rows.ts";
import { flowProtocols } from "./protocols.ts";
import type { AclRule, FlowProtocol } from "./types.ts";

/** Ports and protocols of all rules in flat arrays, and the search for the first rule that fits. */
export class RuleTable {
  /** Bit n: `flowProtocols[n]`. */
  readonly #protocols: Uint8Array;
  /** Rule n has the ranges from `#begin[n]` up to `#begin[n + 1]`; none: all ports. */
  readonly #begin: Uint32Array;
  readonly #low: Uint16Array;
  readonly #high: Uint16Array;

  constructor(rules: readonly AclRule[]) {
    this.#protocols = new Uint8Array(rules.length);
    this.#begin = new Uint32Array(rules.length + 1);
    const ranges = rules.flatMap(({ ports }) => ports);
    this.#low = Uint16Array.from(ranges, ({ from }) => from);
    this.#high = Uint16Array.from(ranges, ({ to }) => to);
    rules.forEach(({ protocols, ports }, n) => {
      const named = protocols.length === 0 ? flowProtocols : protocols;
      for (const protocol of named) this.#protocols[n]! |= protocolBit(protocol);
      this.#begin[n + 1] = this.#begin[n]! + ports.length;
    });
  }

  fitsProtocol(rule: number, protocol: FlowProtocol): boolean {
    return (this.#protocols[rule]! & protocolBit(protocol)) !== 0;
  }

  fitsPort(rule: number, port: number): boolean {
    const end = this.#begin[rule + 1]!;
    let at = this.#begin[rule]!;
    if (at === end) return true;
    for (; at < end; at++) {
      if (this.#low[at]! <= port && port <= this.#high[at]!) return true;
    }
    return false;
  }

  /** The first rule with a bit in both rows that fits; -1 when there is none. */
  first(from: BitRow, to: BitRow, protocol: FlowProtocol, port: number): number {
    for (let n = 0; n < from.length; n++) {
      // Signed, as bit operations are; the lowest bit is found all the same.
      for (let word = from[n]! & to[n]!; word !== 0; word &= word - 1) {
        const rule = n * 32 + 31 - Math.clz32(word & -word);
        if (this.fitsProtocol(rule, protocol) && this.fitsPort(rule, port)) return rule;
      }
    }
    return -1;
  }
}

function protocolBit(protocol: FlowProtocol): number {
  return protocol === "tcp" ? 1 : protocol === "udp" ? 2 : 4;
}
