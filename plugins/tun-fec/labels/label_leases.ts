import { errorText } from "../../../core/errors/mod.ts";
import type { NodeId } from "../../../core/identity/mod.ts";
import type { LogFn } from "../../../core/plugin/types.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { sleep } from "../sleep.ts";
import { LabelLease } from "./label_lease.ts";

/** Waits before a relay that refused or died is asked again; the last holds for good. */
const retryMs = [500, 1_000, 2_000, 5_000, 15_000, 30_000];
/** A label that is not needed any more is kept for what is still on its way. */
const graceMs = 2_000;

/** A way to a peer through relays, for segments sealed under one of its keys. */
export interface WantedLease {
  readonly path: readonly NodeId[];
  readonly receiver: number;
}

export interface LabelLeasesOptions {
  /** Opens a stream to the first relay. @throws {PulseError} */
  open(relay: NodeId, signal: AbortSignal): Promise<ByteStream>;
  /** A label has come or gone, or is in doubt. */
  changed(): void;
  readonly log: LogFn;
}

interface Entry {
  readonly stop: AbortController;
  lease: LabelLease | undefined;
  /** Set while it is wanted no more and only waits for its end. */
  fading: ReturnType<typeof setTimeout> | undefined;
}

/** Keeps labels for all paths that are wanted: asks, asks again, gives back. */
export class LabelLeases implements Disposable {
  readonly #options: LabelLeasesOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: LabelLeasesOptions) {
    this.#options = options;
  }

  /** From now on these are wanted and no others. */
  want(wanted: readonly WantedLease[]): void {
    const keys = new Map(wanted.map((lease) => [keyOf(lease), lease]));
    for (const [key, entry] of this.#entries) {
      if (keys.has(key)) {
        clearTimeout(entry.fading);
        entry.fading = undefined;
      } else {
        entry.fading ??= setTimeout(() => this.#end(key, entry), graceMs);
      }
    }
    for (const [key, lease] of keys) {
      if (this.#entries.has(key)) continue;
      const entry: Entry = { stop: new AbortController(), lease: undefined, fading: undefined };
      this.#entries.set(key, entry);
      void this.#keep(lease, entry);
    }
  }

  /** The label for a path, once its relays have agreed. */
  label(wanted: WantedLease): number | undefined {
    return this.#entries.get(keyOf(wanted))?.lease?.label;
  }

  /** Whether a relay on a path has not answered lately. */
  doubtful(wanted: WantedLease): boolean {
    return this.#entries.get(keyOf(wanted))?.lease?.doubtful ?? false;
  }

  #end(key: string, entry: Entry): void {
    clearTimeout(entry.fading);
    entry.stop.abort();
    entry.lease?.close();
    this.#entries.delete(key);
  }

  async #keep({ path, receiver }: WantedLease, entry: Entry): Promise<void> {
    const { signal } = entry.stop;
    const { open, changed, log } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const stream = await open(path[1]!, signal);
        if (signal.aborted) return stream.reset();
        const ask = { path, position: 1, receiver };
        const lease = entry.lease = await LabelLease.ask(stream, ask, changed);
        if (signal.aborted) lease.close();
        else changed();
        const reason = await lease.ended;
        entry.lease = undefined;
        if (signal.aborted) return;
        attempt = 0;
        log("info", "a path through relays has ended", { path: path.join(">"), reason });
        changed();
      } catch (error) {
        if (signal.aborted) return;
        log("debug", "no path through relays", { path: path.join(">"), error: errorText(error) });
      }
      await sleep(retryMs[Math.min(attempt, retryMs.length - 1)]! * (0.5 + Math.random()), signal);
    }
  }

  [Symbol.dispose](): void {
    for (const [key, entry] of this.#entries) this.#end(key, entry);
  }
}

function keyOf({ path, receiver }: WantedLease): string {
  return `${path.join(">")} ${receiver}`;
}
