import type { LogFn } from "../plugin/types.ts";

/** A failure that goes on is told this often. */
const tellEveryMs = 60_000;

export interface StorageHealthOptions {
  /** What is lost, as the log and the warning call it: `events and statistics`. */
  readonly what: string;
  readonly path: string;
  /** Monotonic milliseconds. */
  now(): number;
  readonly log: LogFn;
}

/** Counts what could not be written, tells of it once a minute, and knows whether it still goes on. */
export class StorageHealth {
  readonly #options: StorageHealthOptions;
  #lost = 0;
  #toldAt = -Infinity;
  #error: string | undefined;

  constructor(options: StorageHealthOptions) {
    this.#options = options;
  }

  /** Records lost since the start. */
  get lost(): number {
    return this.#lost;
  }

  failed(count: number, error: string): void {
    const { what, path, now, log } = this.#options;
    this.#lost += count;
    this.#error = error;
    if (now() - this.#toldAt < tellEveryMs) return;
    this.#toldAt = now();
    log("warn", "history cannot be written", { what, file: path, error, dropped: this.#lost });
  }

  succeeded(): void {
    if (this.#error === undefined) return;
    const { what, path, log } = this.#options;
    this.#error = undefined;
    this.#toldAt = -Infinity;
    log("info", "history is written again", { what, file: path, dropped: this.#lost });
  }

  /** While writing fails: what an operator should know. */
  get warning(): string | undefined {
    if (this.#error === undefined) return undefined;
    const { what, path } = this.#options;
    return `${path} cannot be written (${this.#error}): ${what} are being lost, ${this.#lost} so far. The mesh is not affected; free disk space or mend the directory`;
  }
}
