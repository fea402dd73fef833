import type { ByteStream } from "../sessions/types.ts";

/** Bytes carried each way. */
export interface PipeTotals {
  readonly aToB: number;
  readonly bToA: number;
}

/**
 * Joins two streams: bytes both ways, the end of each direction passed on by itself (half-close), an abrupt end of one side ends
 * the other abruptly. Settles when both directions have ended and nothing of either is in flight.
 *
 * Chunks are handed on without a copy. Reading ahead into a second buffer while the first is being written was measured
 * and gained nothing: a write that finds room resolves at once.
 * @throws {StreamResetError} either side broke; both are reset by then
 */
export async function pipe(a: ByteStream, b: ByteStream): Promise<PipeTotals> {
  const [there, back] = await Promise.allSettled([copy(a, b), copy(b, a)]);
  if (there.status === "rejected") throw there.reason;
  if (back.status === "rejected") throw back.reason;
  return { aToB: there.value, bToA: back.value };
}

async function copy(from: ByteStream, to: ByteStream): Promise<number> {
  let total = 0;
  let waiting = false;
  try {
    // A reset of `to` shows in the other direction's read, unless that has ended: then only `closed` tells, and nobody would look.
    void to.closed.then(() => {
      if (waiting) from.reset();
    });
    for (;;) {
      waiting = true;
      const chunk = await from.read();
      waiting = false;
      if (chunk === null) break;
      await to.write(chunk);
      total += chunk.length;
    }
    await to.closeWrite();
  } catch (error) {
    waiting = false;
    // Wakes the other direction, which would otherwise wait for an end that cannot come.
    from.reset();
    to.reset();
    throw error;
  }
  return total;
}
