/** A queue of byte chunks between one writer and one reader, bounded by its bytes: the writer waits. */
export class ChunkQueue<T> {
  readonly #items: { readonly item: T; readonly bytes: number }[] = [];
  #bytes = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  /** Waits until fewer than `limit` bytes are queued, then adds the item. @throws what `fail()` was given */
  async put(item: T, bytes: number, limit: number): Promise<void> {
    while (this.#bytes >= limit && this.#failure === undefined) await this.#changed.promise;
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    this.#notify();
  }

  /** The oldest item; undefined after `end()` once all are taken. @throws what `fail()` was given */
  async take(): Promise<T | undefined> {
    while (this.#items.length === 0 && !this.#ended && this.#failure === undefined) {
      await this.#changed.promise;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    const first = this.#items.shift();
    if (first === undefined) return undefined;
    this.#bytes -= first.bytes;
    this.#notify();
    return first.item;
  }

  /** No more items will come. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** Ends the queue for both sides at once. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#items.length = 0;
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
