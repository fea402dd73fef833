import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { StreamResetError } from "../errors.ts";
import type { ByteStream, Session, SessionLimits } from "../types.ts";

/** Two ends of one session. `dispose` closes both and everything below them (listeners, endpoints, timers). */
export interface SessionPair {
  readonly dialler: Session;
  readonly acceptor: Session;
  dispose(): Promise<void>;
}

/** Makes a connected pair; `limits` apply to both ends and override the transport's defaults. */
export type MakePair = (limits?: Partial<SessionLimits>) => Promise<SessionPair>;

/** One rule every `Session` keeps. */
export interface ComplianceCase {
  /** A sentence; the suite puts the implementation's name before it. */
  readonly name: string;
  readonly limits?: Partial<SessionLimits>;
  run(pair: SessionPair): Promise<void>;
}

/**
 * What a writer may get rid of while nobody reads at the other end: one stream window of at most 4 MiB plus the buffers of
 * both ends and of the kernel.
 */
export const UNREAD_BOUND_BYTES = 12 * 1024 * 1024;

/** Far beyond what a slow machine needs: a hang is an error with a name, not a stuck run. */
const DEADLINE_MS = 60_000;

export async function within<T>(promise: PromiseLike<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: nothing within ${DEADLINE_MS} ms`)),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * One stream with both ends in hand. A byte goes ahead, because an acceptor may learn of a stream only when something
 * arrives on it; it is read before this returns.
 */
export async function openPair(from: Session, to: Session): Promise<[ByteStream, ByteStream]> {
  const near = await within(from.openStream(), "openStream");
  await within(near.write(Uint8Array.of(0x2a)), "first write");
  const far = await within(to.acceptStream(), "acceptStream");
  assert.ok(far !== null, "the session ended before the stream was accepted");
  assert.deepEqual(await readExactly(far, 1), Uint8Array.of(0x2a));
  return [near, far];
}

/** Exactly `length` bytes, for tests that know what comes; anything more in the last chunk is an error. */
export async function readExactly(stream: ByteStream, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const chunk = await within(stream.read(), `read ${length} bytes (has ${filled})`);
    assert.ok(chunk !== null, `the stream ended after ${filled} of ${length} bytes`);
    assertChunk(chunk);
    assert.ok(filled + chunk.length <= length, "more bytes than were written");
    out.set(chunk, filled);
    filled += chunk.length;
  }
  return out;
}

/** Plain and not empty. A `Buffer` would do until somebody calls `slice()`, which is a view there and a copy everywhere else. */
function assertChunk(chunk: Uint8Array): void {
  assert.ok(chunk.length > 0, "read() gave an empty chunk");
  assert.equal(chunk.constructor, Uint8Array, "read() gave a subclass of Uint8Array");
}

/** Everything up to the peer's half-close: how much, and its SHA-256 in hex. */
export async function drain(stream: ByteStream): Promise<{ length: number; sha256: string }> {
  const hash = createHash("sha256");
  let length = 0;
  for (;;) {
    const chunk = await within(stream.read(), `read to the end (has ${length})`);
    if (chunk === null) return { length, sha256: hash.digest("hex") };
    assertChunk(chunk);
    hash.update(chunk);
    length += chunk.length;
  }
}

/** Sends back what comes and half-closes when the peer has. */
export async function echo(stream: ByteStream): Promise<void> {
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) return await stream.closeWrite();
    await stream.write(chunk);
  }
}

/** Bytes that differ everywhere, the same for the same seed (xorshift32). */
export function pattern(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Sends a byte each way, `rounds` times, on a stream the far end echoes: a wait that is made of progress, not of time. */
export async function roundTrips(stream: ByteStream, rounds: number): Promise<void> {
  const byte = Uint8Array.of(7);
  for (let i = 0; i < rounds; i++) {
    await within(stream.write(byte), "round trip write");
    await readExactly(stream, 1);
  }
}

export async function assertReset(promise: Promise<unknown>, what: string): Promise<void> {
  await assert.rejects(
    within(promise, what),
    (error: unknown) => {
      assert.ok(
        error instanceof StreamResetError,
        `${what}: expected StreamResetError, got ${error}`,
      );
      return true;
    },
  );
}

/** Writes to a stream nobody reads until a write no longer returns; that pending write is the result. */
export async function fillUntilBlocked(
  full: ByteStream,
  other: ByteStream,
): Promise<{ written: () => number; pending: Promise<void> }> {
  const chunk = pattern(64 * 1024, 3);
  const total = 2 * UNREAD_BOUND_BYTES;
  let written = 0;
  const pending = (async () => {
    while (written < total) {
      await full.write(chunk);
      written += chunk.length;
    }
  })();
  pending.catch(
    () => {/* asserted by the caller; this only keeps it from being unhandled until then */},
  );
  let still = 0;
  for (let last = -1; still < 5 && written < total; last = written) {
    await roundTrips(other, 20);
    still = written === last ? still + 1 : 0;
  }
  return { written: () => written, pending };
}
