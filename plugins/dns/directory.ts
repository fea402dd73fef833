import { errorCode, errorText } from "../../core/errors/mod.ts";
import type { HostServices, LogFn } from "../../core/plugin/types.ts";
import { DirectoryIndex } from "./directory_index.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";

/** How old an answer of core may be: nodes come and go. */
const freshMs = 2_000;

export interface DirectoryOptions {
  readonly call: HostServices["call"];
  readonly log: LogFn;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** The names of the mesh, asked for again when a question comes and the last answer has grown old. */
export class Directory {
  readonly #options: DirectoryOptions;
  #index: DirectoryIndex | undefined;
  /** What `#index` was made of. */
  #source = "";
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;
  #failing = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** The index if it is fresh; undefined means that `read()` has to be waited for. */
  get fresh(): DirectoryIndex | undefined {
    return this.#options.now() - this.#readAt < freshMs ? this.#index : undefined;
  }

  /** Whatever is known, also when core could not say anything new; undefined when it never could. */
  async read(): Promise<DirectoryIndex | undefined> {
    this.#reading ??= this.#read().finally(() => this.#reading = undefined);
    await this.#reading;
    return this.#index;
  }

  /** The next question is to see a change. */
  expire(): void {
    this.#readAt = -Infinity;
  }

  async #read(): Promise<void> {
    const { call, log, now } = this.#options;
    const startedAt = now();
    try {
      const snapshot = readSnapshot(await call("directory", "snapshot", null));
      this.#use(snapshot);
      this.#failing = false;
    } catch (error) {
      // Names of yesterday are better than none. A node that has not joined yet has none, and that is no news.
      if (!this.#failing && errorCode(error) !== "NODE_NOT_JOINED") {
        log("warn", "the names of the mesh could not be read", { error: errorText(error) });
      }
      this.#failing = true;
    }
    this.#readAt = startedAt;
  }

  #use(snapshot: Snapshot): void {
    const source = JSON.stringify(snapshot);
    if (source === this.#source) return;
    const before = this.#index?.faults.join("\n");
    this.#index = new DirectoryIndex(snapshot);
    this.#source = source;
    const { faults } = this.#index;
    if (faults.length > 0 && faults.join("\n") !== before) {
      const some = faults.slice(0, 5);
      this.#options.log("warn", "DNS records are not usable", { count: faults.length, some });
    }
  }
}
