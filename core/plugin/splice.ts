import { StreamResetError } from "../sessions/errors.ts";
import type { ByteStream } from "../sessions/types.ts";

const nothing = new Uint8Array(0);

/** Bytes carried each way so far; counted while they flow. */
export interface SpliceTally {
  aToB: number;
  bToA: number;
}

/**
 * Joins two streams until both have ended: bytes and half-closes both ways, and a reset of either, with its code, becomes a
 * reset of the other, even while neither says anything. Never rejects.
 */
export async function splice(
  a: ByteStream,
  b: ByteStream,
  tally: SpliceTally = { aToB: 0, bToA: 0 },
): Promise<void> {
  const breakBoth = (error: unknown) => {
    const code = error instanceof StreamResetError ? error.resetCode : 0;
    a.reset(code);
    b.reset(code);
  };
  await Promise.all([
    carry(a, b, breakBoth, (bytes) => tally.aToB += bytes),
    carry(b, a, breakBoth, (bytes) => tally.bToA += bytes),
  ]);
}

async function carry(
  from: ByteStream,
  to: ByteStream,
  breakBoth: (error: unknown) => void,
  count: (bytes: number) => void,
): Promise<void> {
  let waiting = false;
  let over = false;
  const tell = () => to.write(nothing).then(() => breakBoth(undefined), breakBoth);
  // A reset of `to` shows in the other direction's read, unless that has ended or is held up: then nobody but `closed` tells,
  // and a write says with which code. One that comes while a write ends is looked for after it.
  void to.closed.then(async () => {
    over = true;
    if (waiting) await tell();
  });
  try {
    for (;;) {
      if (over) return await tell();
      waiting = true;
      const chunk = await from.read();
      waiting = false;
      if (chunk === null) break;
      const { length } = chunk;
      await to.write(chunk);
      count(length);
    }
    await to.closeWrite();
  } catch (error) {
    // Whoever uses the streams learns it from them; there is nobody else to tell.
    waiting = false;
    breakBoth(error);
  }
}
