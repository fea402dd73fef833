import assert from "node:assert/strict";
import type { BenchLink, BenchStream } from "./carrier.ts";
import { answer, timeEchoes, timeHandshakes, timeOpening, timeSending } from "./measure.ts";

function overTcp(conn: Deno.TcpConn): BenchStream {
  const buffer = new Uint8Array(16 * 1024);
  return {
    async read() {
      const length = await conn.read(buffer);
      return length === null ? null : buffer.subarray(0, length);
    },
    async write(chunk) {
      for (let sent = 0; sent < chunk.length;) sent += await conn.write(chunk.subarray(sent));
    },
    closeWrite: () => conn.closeWrite(),
  };
}

/** A link whose streams are TCP connections to an answering end in this process. */
function linkToAnswerer(): BenchLink {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const opened: Deno.TcpConn[] = [];
  const answered = (async () => {
    for await (const conn of listener) {
      using owned = conn;
      await answer(overTcp(owned));
    }
  })();
  return {
    async openStream() {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
      opened.push(conn);
      return overTcp(conn);
    },
    async [Symbol.asyncDispose]() {
      for (const conn of opened) conn.close();
      listener.close();
      await answered;
    },
  };
}

Deno.test("sending is timed until the other end has read everything", async () => {
  await using link = linkToAnswerer();
  assert.equal(await timeSending(link, 1_000_000, 65_536) > 0, true);
});

Deno.test("echoes come back whole, in however many pieces", async () => {
  await using link = linkToAnswerer();
  assert.equal(await timeEchoes(link, 100_000, 5) > 0, true);
});

Deno.test("opening is timed until the other end has answered on the new stream", async () => {
  await using link = linkToAnswerer();
  assert.equal(await timeOpening(link, 3) > 0, true);
});

Deno.test("every link of a timed series is closed before the next is made", async () => {
  let open = 0;
  const most: number[] = [];
  const dial = (): Promise<BenchLink> => {
    most.push(++open);
    return Promise.resolve({
      openStream: () => Promise.reject(new Error("not used")),
      [Symbol.asyncDispose]() {
        open--;
        return Promise.resolve();
      },
    });
  };
  assert.equal(await timeHandshakes(dial, 3) >= 0, true);
  assert.deepEqual(most, [1, 1, 1]);
});
