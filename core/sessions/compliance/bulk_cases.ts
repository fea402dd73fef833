import assert from "node:assert/strict";
import type { ByteStream, Session } from "../types.ts";
import {
  type ComplianceCase,
  drain,
  echo,
  fillUntilBlocked,
  openPair,
  pattern,
  roundTrips,
  sha256,
  UNREAD_BOUND_BYTES,
  within,
} from "./suite_support.ts";

async function send(stream: ByteStream, bytes: Uint8Array, chunk: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunk) {
    await stream.write(bytes.subarray(at, at + chunk));
  }
  await stream.closeWrite();
}

async function acceptAndEcho(session: Session, count: number): Promise<void> {
  const echoes: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const stream = await within(session.acceptStream(), `accept stream ${i}`);
    assert.ok(stream !== null);
    echoes.push(echo(stream));
  }
  await Promise.all(echoes);
}

/** Volume, concurrency, odd sizes, back-pressure. */
export const bulkCases: readonly ComplianceCase[] = [
  {
    name: "8 MiB arrive unchanged in both directions at once",
    run: async ({ dialler, acceptor }) => {
      const [near, far] = await openPair(dialler, acceptor);
      const out = pattern(8 * 1024 * 1024, 11);
      const back = pattern(8 * 1024 * 1024, 12);
      const [, , atFar, atNear] = await Promise.all([
        send(near, out, 100_000),
        send(far, back, 33_333),
        drain(far),
        drain(near),
      ]);
      assert.deepEqual(atFar, { length: out.length, sha256: sha256(out) });
      assert.deepEqual(atNear, { length: back.length, sha256: sha256(back) });
    },
  },
  {
    name: "one write of 5 MB arrives whole",
    run: async ({ dialler, acceptor }) => {
      const [near, far] = await openPair(dialler, acceptor);
      const bytes = pattern(5_000_000, 21);
      const [, got] = await Promise.all([send(near, bytes, bytes.length), drain(far)]);
      assert.deepEqual(got, { length: bytes.length, sha256: sha256(bytes) });
    },
  },
  {
    name: "writes of one byte arrive in order and empty writes leave no trace",
    run: async ({ dialler, acceptor }) => {
      const [near, far] = await openPair(dialler, acceptor);
      const bytes = pattern(1_500, 31);
      const sending = (async () => {
        for (let i = 0; i < bytes.length; i++) {
          await near.write(bytes.subarray(i, i + 1));
          await near.write(new Uint8Array(0));
        }
        await near.closeWrite();
      })();
      const [, got] = await Promise.all([sending, drain(far)]);
      assert.deepEqual(got, { length: bytes.length, sha256: sha256(bytes) });
    },
  },
  {
    name: "a caller may reuse its buffer as soon as write has resolved",
    run: async ({ dialler, acceptor }) => {
      const [near, far] = await openPair(dialler, acceptor);
      const bytes = pattern(3_000_000, 41);
      const buffer = new Uint8Array(70_000);
      const sending = (async () => {
        for (let at = 0; at < bytes.length; at += buffer.length) {
          const piece = bytes.subarray(at, at + buffer.length);
          buffer.set(piece);
          await near.write(buffer.subarray(0, piece.length));
          buffer.fill(0);
        }
        await near.closeWrite();
      })();
      const [, got] = await Promise.all([sending, drain(far)]);
      assert.deepEqual(got, { length: bytes.length, sha256: sha256(bytes) });
    },
  },
  {
    name: "200 streams run side by side, opened from both ends",
    run: async ({ dialler, acceptor }) => {
      const run = async (session: Session, seed: number) => {
        const bytes = pattern(20_000, seed);
        const stream = await within(session.openStream(), "openStream");
        const [, got] = await Promise.all([send(stream, bytes, 7_000), drain(stream)]);
        assert.deepEqual(got, { length: bytes.length, sha256: sha256(bytes) });
      };
      const work: Promise<void>[] = [acceptAndEcho(acceptor, 100), acceptAndEcho(dialler, 100)];
      for (let i = 0; i < 100; i++) work.push(run(dialler, i), run(acceptor, 1000 + i));
      await Promise.all(work);
    },
  },
  {
    name: `a stream nobody reads stops its writer within ${
      UNREAD_BOUND_BYTES >> 20
    } MiB, and only it`,
    run: async ({ dialler, acceptor }) => {
      const [near, far] = await openPair(dialler, acceptor);
      const [other, otherFar] = await openPair(dialler, acceptor);
      const echoed = echo(otherFar);
      const { written, pending } = await fillUntilBlocked(near, other);
      const stalledAt = written();
      assert.ok(stalledAt <= UNREAD_BOUND_BYTES, `${stalledAt} bytes were taken while nobody read`);
      const reading = drain(far);
      await within(pending, "writer goes on once somebody reads");
      await near.closeWrite();
      assert.equal((await reading).length, written());
      await other.closeWrite();
      await within(echoed, "echo end");
    },
  },
  {
    name: "a bulk stream does not starve a small one",
    run: async ({ dialler, acceptor }) => {
      const [bulk, bulkFar] = await openPair(dialler, acceptor);
      const [small, smallFar] = await openPair(dialler, acceptor);
      const echoed = echo(smallFar);
      const chunk = pattern(256 * 1024, 51);
      // A mux that is fair answers 30 small requests while a small part of this goes by.
      const most = 512 * 1024 * 1024;
      let sent = 0;
      let done = false;
      const reading = drain(bulkFar);
      const pushing = (async () => {
        while (!done && sent < most) {
          await bulk.write(chunk);
          sent += chunk.length;
        }
        await bulk.closeWrite();
      })();
      await roundTrips(small, 30);
      done = true;
      await Promise.all([pushing, reading]);
      assert.ok(sent < most, `${sent} bytes went by before 30 round trips were done`);
      await small.closeWrite();
      await within(echoed, "echo end");
    },
  },
];
