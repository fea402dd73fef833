/** A pipe in memory and hand-made frames, for tests of yamux. @module */
import { type FrameType, HEADER_BYTES, writeHeader } from "./frame.ts";
import { FrameParser } from "./frame_parser.ts";
import type { BytePipe } from "./yamux_session.ts";

/** One end of a pipe in memory; what `write` takes waits in a queue of at most `maxQueued` bytes until it is read. */
export class MemoryPipe implements BytePipe {
  peer!: MemoryPipe;
  readonly #maxQueued: number;
  readonly #cut: (chunk: Uint8Array) => Uint8Array[];
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #closed = false;
  #reader: ((chunk: Uint8Array | null) => void) | null = null;
  #blocked: (() => void)[] = [];
  /** While true nothing is delivered to this end's reader. */
  #paused = false;

  constructor(maxQueued: number, cut: (chunk: Uint8Array) => Uint8Array[]) {
    this.#maxQueued = maxQueued;
    this.#cut = cut;
  }

  get queued(): number {
    return this.#queued;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#closed) throw new Error("the pipe is closed");
    for (const piece of this.#cut(chunk.slice())) this.peer.#deliver(piece);
    if (this.peer.#queued > this.#maxQueued) {
      await new Promise<void>((resolve) => this.peer.#blocked.push(resolve));
    }
  }

  read(): Promise<Uint8Array | null> {
    const chunk = this.#paused ? undefined : this.#queue.shift();
    if (chunk !== undefined) {
      this.#queued -= chunk.length;
      if (this.#queued <= this.#maxQueued) { for (const go of this.#blocked.splice(0)) go(); }
      return Promise.resolve(chunk);
    }
    if (this.#closed) return Promise.resolve(null);
    return new Promise((resolve) => this.#reader = resolve);
  }

  /** Puts bytes into this end's reader as if the peer had written them. */
  inject(chunk: Uint8Array): void {
    this.#deliver(chunk);
  }

  /** Stops delivery to this end's reader: the peer's writes fill the pipe and block. */
  pause(): void {
    this.#paused = true;
  }

  close(): void {
    for (const end of [this, this.peer]) {
      if (end.#closed) continue;
      end.#closed = true;
      for (const go of end.#blocked.splice(0)) go();
      if (end.#queue.length === 0 || end.#paused) end.#reader?.(null);
    }
  }

  #deliver(chunk: Uint8Array): void {
    if (this.#closed) return;
    const reader = this.#paused ? null : this.#reader;
    if (reader === null) {
      this.#queue.push(chunk);
      this.#queued += chunk.length;
      return;
    }
    this.#reader = null;
    reader(chunk);
  }
}

/** Two connected ends; `cut` decides how a write is chopped up on its way. */
export function memoryPipes(
  options: { maxQueued?: number; cut?: (chunk: Uint8Array) => Uint8Array[] } = {},
): [MemoryPipe, MemoryPipe] {
  const { maxQueued = 256 * 1024, cut = (chunk) => [chunk] } = options;
  const near = new MemoryPipe(maxQueued, cut);
  const far = new MemoryPipe(maxQueued, cut);
  near.peer = far;
  far.peer = near;
  return [near, far];
}

/** A frame by hand; `length` defaults to the payload's. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | number = 0,
): Uint8Array {
  const body = typeof payload === "number" ? new Uint8Array(0) : payload;
  const length = typeof payload === "number" ? payload : payload.length;
  const out = new Uint8Array(HEADER_BYTES + body.length);
  writeHeader(out, 0, type as FrameType, flags, streamId, length);
  out.set(body, HEADER_BYTES);
  return out;
}

export function concat(...chunks: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

export interface ParsedFrame {
  type: number;
  flags: number;
  streamId: number;
  length: number;
  payload: Uint8Array;
}

/** All frames in `bytes`. */
export function parseFrames(bytes: Uint8Array): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  const parser = new FrameParser({
    onFrame: (type, flags, streamId, length) =>
      frames.push({ type, flags, streamId, length, payload: new Uint8Array(0) }),
    onData: (_id, piece) => {
      const current = frames.at(-1);
      if (current !== undefined) current.payload = concat(current.payload, piece);
    },
  });
  parser.push(bytes);
  return frames;
}
