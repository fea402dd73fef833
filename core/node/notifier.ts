/** Wakes everybody who waits for "something changed". */
export class Notifier {
  #waiting = Promise.withResolvers<void>();

  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = Promise.withResolvers<void>();
    waiting.resolve();
  }

  /** Resolves at the next `notify()` or when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const abort = () => resolve();
    signal.addEventListener("abort", abort, { once: true });
    await Promise.race([this.#waiting.promise, promise]);
    signal.removeEventListener("abort", abort);
  }
}
