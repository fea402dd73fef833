/**
 * Hands things over a fixed time after they came, in order. What does not fit is dropped, as in a router's queue.
 */
export class DelayLine<T> implements Disposable {
  readonly #capacity: number;
  readonly #deliver: (item: T) => void;
  readonly #waiting: { readonly dueAt: number; readonly item: T }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @param capacity most items under way */
  constructor(capacity: number, deliver: (item: T) => void) {
    this.#capacity = capacity;
    this.#deliver = deliver;
  }

  /** Items under way. */
  get length(): number {
    return this.#waiting.length;
  }

  /** False when the line is full or closed: the item is dropped. */
  push(item: T, delayMs: number): boolean {
    if (this.#closed || this.#waiting.length >= this.#capacity) return false;
    // Never before the one in front: a shortened delay must not reorder.
    const earliest = this.#waiting.at(-1)?.dueAt ?? 0;
    this.#waiting.push({ dueAt: Math.max(earliest, performance.now() + delayMs), item });
    this.#schedule();
    return true;
  }

  #schedule(): void {
    const first = this.#waiting[0];
    if (this.#timer !== undefined || first === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const now = performance.now();
      let due = 0;
      while (due < this.#waiting.length && this.#waiting[due]!.dueAt <= now) due++;
      for (const { item } of this.#waiting.splice(0, due)) this.#deliver(item);
      if (!this.#closed) this.#schedule();
    }, Math.max(0, first.dueAt - performance.now()));
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#waiting.length = 0;
    clearTimeout(this.#timer);
  }
}
