import assert from "node:assert/strict";
import { StreamResetError } from "../sessions/errors.ts";
import { BufferPool, largeBuffer, mediumBuffer } from "./buffer_pool.ts";
import type { ResettingTask } from "./compliance/resetting_testing.ts";
import { abandonPort, PortStream, portWindow } from "./port_stream.ts";

function pair(): [PortStream, PortStream] {
  const { port1, port2 } = new MessageChannel();
  return [new PortStream(port1, new BufferPool()), new PortStream(port2, new BufferPool())];
}

function bytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = (i * 31 + seed * 17 + (i >> 8)) & 255;
  return out;
}

async function readAll(stream: PortStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) break;
    assert.ok(chunk.length > 0);
    parts.push(chunk.slice());
  }
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const isReset = (code: number) => (error: unknown) => {
  assert.ok(error instanceof StreamResetError);
  assert.equal(error.resetCode, code);
  return true;
};

Deno.test("chunks of every size class arrive as they were written", async () => {
  const sizes = [1, 100, 2048, 16384, 16385, 65536, 65537, 262144, 262145, 1_500_000];
  const [near, far] = pair();
  const whole = bytes(sizes.reduce((sum, size) => sum + size, 0));
  const writing = (async () => {
    let at = 0;
    for (const size of sizes) {
      // Each chunk is a view into a larger buffer that is overwritten as soon as write() resolves.
      const scratch = new Uint8Array(size + 10);
      scratch.set(whole.subarray(at, at + size), 5);
      await near.write(scratch.subarray(5, 5 + size));
      scratch.fill(255);
      at += size;
    }
    await near.closeWrite();
  })();
  assert.deepEqual(await readAll(far), whole);
  await writing;
  await far.closeWrite();
  assert.equal(await near.read(), null);
  await Promise.all([near.closed, far.closed]);
});

Deno.test("both directions end by themselves and what was under way still arrives", async () => {
  const [near, far] = pair();
  await near.write(bytes(100_000));
  await near.closeWrite();
  await near.closeWrite();
  await far.write(bytes(10));
  await far.closeWrite();
  await far.closed;
  assert.equal((await readAll(far)).length, 100_000);
  assert.equal(await far.read(), null);
  assert.equal((await readAll(near)).length, 10);
  await near.closed;
  await assert.rejects(near.write(bytes(1)), StreamResetError);
});

Deno.test("a writer gets rid of one window and no more while nobody reads", async () => {
  for (const size of [1, 5000, 20_000, 200_000]) {
    const [near, far] = pair();
    let written = 0;
    const cost = size <= 16384
      ? Math.max(size, 2048)
      : size <= mediumBuffer
      ? mediumBuffer
      : largeBuffer;
    const room = Math.floor(portWindow / cost);
    const writing = (async () => {
      for (let i = 0; i < room + 5; i++) {
        await near.write(bytes(size, i));
        written++;
      }
      await near.closeWrite();
    })();
    // A round trip in the other direction: whatever could have been written by now has been.
    for (let i = 0; i < 3; i++) {
      await far.write(bytes(1));
      await near.read();
    }
    assert.equal(written, room);
    assert.equal((await readAll(far)).length, size * (room + 5));
    await writing;
    await far.closeWrite();
    await near.closed;
  }
});

Deno.test("a reset with its code ends pending and later calls at both ends", async () => {
  const [near, far] = pair();
  const reads = [assert.rejects(near.read(), isReset(7)), assert.rejects(far.read(), isReset(7))];
  near.reset(7);
  near.reset(8);
  await Promise.all([...reads, near.closed, far.closed]);
  await assert.rejects(near.write(bytes(1)), isReset(7));
  await assert.rejects(far.write(bytes(1)), isReset(7));
  await assert.rejects(far.read(), isReset(7));
});

Deno.test("a reset rejects a write that waits for the reader", async () => {
  const [near, far] = pair();
  const writing = assert.rejects(near.write(bytes(3 * portWindow)), isReset(3));
  assert.ok((await far.read())!.length > 0);
  far.reset(3);
  await writing;
  await near.closed;
});

Deno.test("a reset after a clean end changes nothing", async () => {
  const [near, far] = pair();
  await near.write(bytes(5));
  await Promise.all([near.closeWrite(), far.closeWrite()]);
  await far.closed;
  far.reset(1);
  assert.equal((await readAll(far)).length, 5);
  assert.equal(await near.read(), null);
  await near.closed;
});

Deno.test("an abandoned port reads as a reset", async () => {
  const { port1, port2 } = new MessageChannel();
  const stream = new PortStream(port1, new BufferPool());
  abandonPort(port2);
  await assert.rejects(stream.read(), isReset(0));
});

Deno.test("each of thousands of resets between two Workers is read as one, though the port closes behind it", async () => {
  const total = 4_000;
  const [resetting, reading] = [1, 2].map(() =>
    new Worker(new URL("./compliance/resetting_testing.ts", import.meta.url), { type: "module" })
  ) as [Worker, Worker];
  const codes: number[] = [];
  const all = Promise.withResolvers<void>();
  const late = setTimeout(() => all.resolve(), 60_000);
  let next = 0;
  const give = () => {
    if (next === total) return;
    const { port1, port2 } = new MessageChannel();
    const id = next++;
    resetting.postMessage({ id, what: "reset" } satisfies ResettingTask, [port1]);
    reading.postMessage({ id, what: "read" } satisfies ResettingTask, [port2]);
  };
  reading.onmessage = ({ data }) => {
    codes.push(data);
    give();
    if (codes.length === total) all.resolve();
  };
  try {
    for (let lane = 0; lane < 32; lane++) give();
    await all.promise;
    assert.equal(codes.filter((code) => code === 7).length, total * 3 / 4);
    assert.equal(codes.filter((code) => code === 0).length, total / 4);
  } finally {
    clearTimeout(late);
    resetting.terminate();
    reading.terminate();
  }
});

Deno.test("the far end cannot send more than granted, grant more than was sent, or talk nonsense", async () => {
  const attacks: ((port: MessagePort) => void)[] = [
    (port) => {
      for (let i = 0; i < 5; i++) port.postMessage(new Uint8Array(largeBuffer));
    },
    (port) => {
      for (let i = 0; i < 513; i++) port.postMessage(new Uint8Array(1));
    },
    // One visible byte of a large buffer is charged for the buffer.
    (port) => port.postMessage(new Uint8Array(new ArrayBuffer(2 * portWindow), 0, 1)),
    (port) => port.postMessage(new Uint8Array(0)),
    (port) => port.postMessage(new Uint8Array(new SharedArrayBuffer(64))),
    (port) => port.postMessage(1),
    (port) => port.postMessage(-5),
    (port) => port.postMessage(NaN),
    (port) => port.postMessage(new ArrayBuffer(largeBuffer)),
    (port) => port.postMessage("hello"),
    (port) => port.postMessage({ reset: "x" }),
    (port) => {
      port.postMessage(null);
      port.postMessage(new Uint8Array(3));
    },
    (port) => {
      port.postMessage(null);
      port.postMessage(null);
    },
  ];
  for (const attack of attacks) {
    const { port1, port2 } = new MessageChannel();
    const stream = new PortStream(port1, new BufferPool());
    attack(port2);
    await stream.closed;
    await assert.rejects(stream.write(bytes(1)), StreamResetError);
    port2.close();
  }
});

Deno.test("a reader that keeps up lets buffers circulate instead of allocating new ones", async () => {
  const { port1, port2 } = new MessageChannel();
  const sending = new BufferPool();
  const near = new PortStream(port1, sending);
  const far = new PortStream(port2, new BufferPool());
  let returned = 0;
  const give = sending.give.bind(sending);
  sending.give = (buffer) => {
    assert.equal(buffer.byteLength, largeBuffer);
    returned++;
    give(buffer);
  };
  const chunk = bytes(200_000);
  const reading = readAll(far);
  for (let i = 0; i < 40; i++) await near.write(chunk);
  await near.closeWrite();
  assert.equal((await reading).length, 40 * chunk.length);
  await far.closeWrite();
  await near.closed;
  // All but those of the last window.
  assert.ok(returned >= 36, `${returned} buffers came back`);
});

Deno.test("small chunks that wait in line are read as one, in order, and all of their credit comes back", async () => {
  const [near, far] = pair();
  const whole = bytes(500_000);
  for (let round = 0; round < 5; round++) {
    for (let at = 0; at < whole.length; at += 5_000) {
      await near.write(whole.subarray(at, at + 5_000));
    }
    // A port delivers at least one message per round trip: what was written has arrived by then.
    for (let i = 0; i < 120; i++) {
      await far.write(bytes(1));
      await near.read();
    }
    let reads = 0;
    for (let at = 0; at < whole.length; reads++) {
      const chunk = await far.read();
      assert.ok(chunk !== null);
      assert.deepEqual(chunk, whole.subarray(at, at + chunk.length));
      at += chunk.length;
    }
    assert.ok(reads <= 50, `${reads} reads for 100 chunks`);
  }
  await Promise.all([near.closeWrite(), far.closeWrite()]);
  await Promise.all([near.closed, far.closed]);
});
