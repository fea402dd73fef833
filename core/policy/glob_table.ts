import { type BitRow, setBits } from "./bit_rows.ts";
import type { Glob } from "./glob.ts";

interface Entry {
  readonly glob: Glob;
  readonly rules: number[];
}

/** Globs by one end of what they match: an end of each length that occurs is looked up. */
class EndTable {
  readonly #byEnd = new Map<string, Entry[]>();
  readonly #lengths = new Set<number>();
  readonly #end: (text: string, length: number) => string;

  constructor(end: (text: string, length: number) => string) {
    this.#end = end;
  }

  add(end: string, entry: Entry): void {
    const same = this.#byEnd.get(end);
    if (same === undefined) this.#byEnd.set(end, [entry]);
    else same.push(entry);
    this.#lengths.add(end.length);
  }

  mark(row: BitRow, text: string): void {
    for (const length of this.#lengths) {
      if (length > text.length) continue;
      for (const { glob, rules } of this.#byEnd.get(this.#end(text, length)) ?? []) {
        if (glob.matches(text)) setBits(row, rules);
      }
    }
  }
}

/**
 * Rules by the glob they name. A text is only tried against globs that begin or end as it does; those that say nothing about
 * either end (`*ab*`) are all tried, each once however many rules name it.
 */
export class GlobTable {
  readonly #byText = new Map<string, Entry>();
  readonly #prefixes = new EndTable((text, length) => text.slice(0, length));
  readonly #suffixes = new EndTable((text, length) => text.slice(text.length - length));

  add(pattern: string, glob: Glob, rule: number): void {
    const known = this.#byText.get(pattern);
    if (known !== undefined) {
      known.rules.push(rule);
      return;
    }
    const entry = { glob, rules: [rule] };
    this.#byText.set(pattern, entry);
    if (glob.suffix.length > glob.prefix.length) this.#suffixes.add(glob.suffix, entry);
    else this.#prefixes.add(glob.prefix, entry);
  }

  /** Sets the bits of all rules whose glob matches. */
  mark(row: BitRow, text: string): void {
    this.#prefixes.mark(row, text);
    this.#suffixes.mark(row, text);
  }
}
