import type { YamuxCore } from "./yamux_core.ts";
import type { YamuxLimits } from "./yamux_limits.ts";
import type { BytePipe } from "./yamux_session.ts";

/** Buffers up to this size are kept between bursts. */
const KEEP_BYTES = 32 * 1024;
const MIN_BYTES = 1024;

/**
 * Moves what the core has to say into the pipe, in batches: everything that became ready in one turn of the event loop
 * leaves in one write. Copying into a batch costs a memcpy per byte and buys that `write()` of a stream is done the moment
 * its bytes are in, that one buffer serves for ever, and that a thousand small frames are one message.
 */
export class YamuxWriter {
  readonly #pipe: BytePipe;
  readonly #core: YamuxCore;
  readonly #limits: YamuxLimits;
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  #buffer = new Uint8Array(0);
  #running: Promise<void> | null = null;
  #writingSince: number | null = null;
  #stopped = false;

  constructor(
    pipe: BytePipe,
    core: YamuxCore,
    limits: YamuxLimits,
    now: () => number,
    failed: (error: unknown) => void,
  ) {
    this.#pipe = pipe;
    this.#core = core;
    this.#limits = limits;
    this.#now = now;
    this.#failed = failed;
  }

  /** Something is to be sent; it leaves after the current turn, together with whatever else that turn brings. */
  wake(): void {
    if (this.#running === null && !this.#stopped) this.#running = this.#run();
  }

  /** For how long the current write has not returned. */
  stuckMs(now: number): number {
    return this.#writingSince === null ? 0 : now - this.#writingSince;
  }

  /** Waits up to `patienceMs` for what is pending to be written, then stops. */
  async finish(patienceMs: number): Promise<void> {
    if (this.#running !== null && patienceMs > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, patienceMs);
      await Promise.race([this.#running, promise]);
      clearTimeout(timer);
    }
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    try {
      await null;
      for (;;) {
        const length = this.#core.transmit(this.#room());
        if (length === 0) break;
        this.#writingSince = this.#now();
        await this.#pipe.write(this.#buffer.subarray(0, length));
        this.#writingSince = null;
        if (this.#stopped) return;
      }
      if (this.#buffer.length > KEEP_BYTES) this.#buffer = new Uint8Array(0);
    } catch (error) {
      this.#stopped = true;
      this.#failed(error);
    } finally {
      this.#running = null;
    }
  }

  /** A buffer large enough for what waits, within the limit. */
  #room(): Uint8Array {
    const wanted = this.#core.demand(this.#limits.maxBatch);
    if (wanted > this.#buffer.length) {
      let size = MIN_BYTES;
      while (size < wanted) size *= 2;
      this.#buffer = new Uint8Array(Math.min(size, Math.max(MIN_BYTES, this.#limits.maxBatch)));
    }
    return this.#buffer;
  }
}
