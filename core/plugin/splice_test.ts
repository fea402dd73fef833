import assert from "node:assert/strict";
import { StreamResetError } from "../sessions/errors.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { BufferPool } from "./buffer_pool.ts";
import { PortStream } from "./port_stream.ts";
import { splice } from "./splice.ts";

function pair(): [PortStream, PortStream] {
  const { port1, port2 } = new MessageChannel();
  const pool = new BufferPool();
  return [new PortStream(port1, pool), new PortStream(port2, pool)];
}

/** left <-> (inner, spliced) <-> right */
function joined(): { left: PortStream; right: PortStream; over: Promise<void> } {
  const [left, a] = pair();
  const [b, right] = pair();
  return { left, right, over: splice(a, b) };
}

const isReset = (code: number) => (error: unknown) =>
  error instanceof StreamResetError && error.resetCode === code;

Deno.test("joined streams carry bytes and half-closes both ways", async () => {
  const { left, right, over } = joined();
  await left.write(new Uint8Array([1, 2, 3]));
  await left.closeWrite();
  assert.deepEqual(await right.read(), new Uint8Array([1, 2, 3]));
  assert.equal(await right.read(), null);
  await right.write(new Uint8Array(300_000));
  await right.closeWrite();
  let got = 0;
  for (let chunk = await left.read(); chunk !== null; chunk = await left.read()) {
    got += chunk.length;
  }
  assert.equal(got, 300_000);
  await over;
});

Deno.test("a reset of one side reaches the other with its code", async () => {
  const { left, right, over } = joined();
  left.reset(9);
  await assert.rejects(right.read(), isReset(9));
  await over;
});

Deno.test("a reset reaches the other side although the direction it came from had ended", async () => {
  const { left, right, over } = joined();
  await left.closeWrite();
  assert.equal(await right.read(), null);
  left.reset(4);
  await right.closed;
  await assert.rejects(right.write(new Uint8Array(1)), isReset(4));
  await over;
});

Deno.test("a reset reaches the other side while the data before it is stuck", async () => {
  const { left, right, over } = joined();
  const writing = assert.rejects(left.write(new Uint8Array(8_000_000)), isReset(6));
  await right.read();
  left.reset(6);
  await writing;
  await right.closed;
  await over;
});

Deno.test("a reset that comes while a write is ending is not missed", async () => {
  const [left, a] = pair();
  const [b, right] = memoryStreamPair();
  const write = b.write.bind(b);
  b.write = (chunk) => {
    const written = write(chunk);
    if (chunk.length > 0) right.reset(3);
    return written;
  };
  const over = splice(a, b);
  // Nothing but `closed` tells of a reset of `b` now.
  await right.closeWrite();
  assert.equal(await left.read(), null);
  await left.write(new Uint8Array([1]));
  await left.closed;
  await assert.rejects(left.write(new Uint8Array(1)), isReset(3));
  await over;
});

Deno.test("bytes are counted while they flow", async () => {
  const [left, a] = pair();
  const [b, right] = pair();
  const tally = { aToB: 0, bToA: 0 };
  const over = splice(a, b, tally);
  await left.write(new Uint8Array(100_000));
  await left.closeWrite();
  while (await right.read() !== null);
  assert.deepEqual(tally, { aToB: 100_000, bToA: 0 });
  await right.write(new Uint8Array(7));
  await right.closeWrite();
  while (await left.read() !== null);
  await over;
  assert.deepEqual(tally, { aToB: 100_000, bToA: 7 });
});
