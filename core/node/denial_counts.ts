/** Rules counted one by one; a denial by a rule behind them is in the total alone. */
const maxCountedRules = 1_024;

/** Streams refused or cut by policy. */
export interface Denials {
  /** Since the node started. */
  readonly total: number;
  /** By the rule's number, since the rules last changed; at most 1,024 of them. */
  readonly byRule: ReadonlyMap<number, number>;
  /** By no rule, since the rules last changed. */
  readonly unmatched: number;
}

/** Counts what policy refused, by rule. */
export class DenialCounts implements Denials {
  readonly #byRule = new Map<number, number>();
  #total = 0;
  #unmatched = 0;

  get total(): number {
    return this.#total;
  }

  get byRule(): ReadonlyMap<number, number> {
    return this.#byRule;
  }

  get unmatched(): number {
    return this.#unmatched;
  }

  /** @param rule null: none decided */
  add(rule: number | null): void {
    this.#total++;
    if (rule === null) this.#unmatched++;
    else if (this.#byRule.has(rule) || this.#byRule.size < maxCountedRules) {
      this.#byRule.set(rule, (this.#byRule.get(rule) ?? 0) + 1);
    }
  }

  /** A number means another rule from now on. */
  startOver(): void {
    this.#byRule.clear();
    this.#unmatched = 0;
  }
}
