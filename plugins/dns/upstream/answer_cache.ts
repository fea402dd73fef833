import type { Query } from "../query.ts";
import type { StoredAnswer } from "./upstream_message.ts";

export interface CacheLimits {
  readonly maxEntries: number;
  /** Of all messages together. */
  readonly maxBytes: number;
}

export const defaultCacheLimits: CacheLimits = { maxEntries: 8_192, maxBytes: 8_000_000 };

interface Entry {
  readonly answer: StoredAnswer;
  readonly storedAt: number;
}

/** Answers of upstreams, until their time is over; beyond its limits the one unused for longest goes. */
export class AnswerCache {
  readonly #limits: CacheLimits;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  readonly counters = { hits: 0, misses: 0 };

  constructor(limits: CacheLimits = defaultCacheLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @param now monotonic milliseconds @returns the answer and its age in seconds */
  find(key: string, now: number): { readonly answer: StoredAnswer; readonly age: number } | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.counters.misses++;
      return null;
    }
    this.#remove(key, entry);
    const age = (now - entry.storedAt) / 1000;
    if (age >= entry.answer.lifetime) {
      this.counters.misses++;
      return null;
    }
    this.#insert(key, entry);
    this.counters.hits++;
    return { answer: entry.answer, age };
  }

  store(key: string, answer: StoredAnswer, now: number): void {
    if (answer.lifetime <= 0) return;
    const before = this.#entries.get(key);
    if (before !== undefined) this.#remove(key, before);
    this.#insert(key, { answer, storedAt: now });
    const { maxEntries, maxBytes } = this.#limits;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= maxEntries && this.#bytes <= maxBytes) break;
      this.#remove(oldest, entry);
    }
  }

  #insert(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.answer.message.length;
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.answer.message.length;
  }
}

/** Questions with the same key have the same answer. */
export function cacheKey(query: Query): string {
  const bits = (query.edns?.dnssecOk ? 1 : 0) | (query.checkingDisabled ? 2 : 0);
  return `${query.type} ${query.class} ${bits} ${query.name}`;
}
