/** Keeps the last part of what a process writes. */
export class LogTail {
  readonly #capacity: number;
  #text = "";
  #cut = false;

  /** @param capacity characters kept at least; twice as many at most */
  constructor(capacity = 128 * 1024) {
    this.#capacity = capacity;
  }

  /** Reads a stream to its end. */
  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#add(decoder.decode(chunk, { stream: true }));
    this.#add(decoder.decode());
  }

  #add(text: string): void {
    this.#text += text;
    if (this.#text.length <= 2 * this.#capacity) return;
    this.#text = this.#text.slice(-this.#capacity);
    this.#cut = true;
  }

  toString(): string {
    return this.#cut ? `[...]${this.#text}` : this.#text;
  }
}
