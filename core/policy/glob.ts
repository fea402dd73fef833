/** One place of a glob: any run of characters, any one character, or one out of a set. */
type Token =
  | { readonly kind: "run" }
  | { readonly kind: "one" }
  | { readonly kind: "char"; readonly code: number }
  | {
    readonly kind: "set";
    readonly negated: boolean;
    readonly ranges: readonly (readonly [number, number])[];
  };

/** A shell glob over whole texts: `*`, `?`, `[a-f]`, `[^0]` or `[!0]`, and `\` before a character that means itself. */
export class Glob {
  /** What every match begins with. */
  readonly prefix: string;
  /** What every match ends with. */
  readonly suffix: string;
  /** True when it matches its prefix and nothing else. */
  readonly literal: boolean;
  readonly #tokens: readonly Token[];

  private constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
    const first = tokens.findIndex(({ kind }) => kind !== "char");
    this.literal = first < 0;
    this.prefix = text(this.literal ? tokens : tokens.slice(0, first));
    this.suffix = text(tokens.slice(tokens.findLastIndex(({ kind }) => kind !== "char") + 1));
  }

  /** Null: malformed, which matches nothing. */
  static parse(pattern: string): Glob | null {
    const tokens: Token[] = [];
    for (let at = 0; at < pattern.length; at++) {
      const char = pattern[at]!;
      if (char === "*") {
        if (tokens.at(-1)?.kind !== "run") tokens.push({ kind: "run" });
      } else if (char === "?") tokens.push({ kind: "one" });
      else if (char === "[") {
        const end = pushSet(pattern, at + 1, tokens);
        if (end === null) return null;
        at = end;
      } else {
        if (char === "\\" && ++at === pattern.length) return null;
        tokens.push({ kind: "char", code: pattern.charCodeAt(at) });
      }
    }
    return new Glob(tokens);
  }

  /** At most tokens x characters steps, whatever the pattern: only the last run is ever tried again. */
  matches(text: string): boolean {
    const tokens = this.#tokens;
    let at = 0;
    let token = 0;
    let retryToken = -1;
    let retryAt = 0;
    while (at < text.length) {
      const current = tokens[token];
      if (current?.kind === "run") {
        retryToken = token++;
        retryAt = at;
      } else if (current !== undefined && takes(current, text.charCodeAt(at))) {
        token++;
        at++;
      } else if (retryToken >= 0) {
        token = retryToken + 1;
        at = ++retryAt;
      } else return false;
    }
    while (tokens[token]?.kind === "run") token++;
    return token === tokens.length;
  }
}

function text(tokens: readonly Token[]): string {
  return String.fromCharCode(...tokens.flatMap((token) => token.kind === "char" ? token.code : []));
}

function takes(token: Token, code: number): boolean {
  if (token.kind === "one") return true;
  if (token.kind === "char") return token.code === code;
  if (token.kind === "run") return false;
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated;
}

/** Reads a set from behind its `[`. @returns where its `]` is, null when it is malformed */
function pushSet(pattern: string, start: number, tokens: Token[]): number | null {
  let at = start;
  const negated = pattern[at] === "^" || pattern[at] === "!";
  if (negated) at++;
  const ranges: [number, number][] = [];
  const char = (): number | null => {
    if (pattern[at] === "\\") at++;
    else if (pattern[at] === "-" || pattern[at] === "]") return null;
    return at < pattern.length ? pattern.charCodeAt(at++) : null;
  };
  while (at < pattern.length && pattern[at] !== "]") {
    const low = char();
    if (low === null) return null;
    let high: number | null = low;
    if (pattern[at] === "-") {
      at++;
      high = char();
    }
    if (high === null || high < low) return null;
    ranges.push([low, high]);
  }
  if (at >= pattern.length || ranges.length === 0) return null;
  tokens.push({ kind: "set", negated, ranges });
  return at;
}
