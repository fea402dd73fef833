import type { ByteStream } from "../sessions/types.ts";

/** A stream that is another one with something added; everything it does not change goes straight through. */
export class WrappedStream implements ByteStream {
  protected readonly inner: ByteStream;

  constructor(inner: ByteStream) {
    this.inner = inner;
  }

  read(): Promise<Uint8Array | null> {
    return this.inner.read();
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.inner.write(chunk);
  }

  closeWrite(): Promise<void> {
    return this.inner.closeWrite();
  }

  reset(code?: number): void {
    this.inner.reset(code);
  }

  get closed(): Promise<void> {
    return this.inner.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.inner[Symbol.asyncDispose]() as Promise<void>;
  }
}
