import assert from "node:assert/strict";
import { SessionClosedError, StreamLimitError } from "../errors.ts";
import type { ByteStream, Session } from "../types.ts";
import {
  assertReset,
  type ComplianceCase,
  drain,
  echo,
  fillUntilBlocked,
  openPair,
  within,
} from "./suite_support.ts";

/** `openStream` that gives up after `ms`; the signal is what is under test. */
async function openWithin(session: Session, ms: number): Promise<ByteStream> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  try {
    return await session.openStream({ signal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** Ends both directions of both ends. */
async function finish(near: ByteStream, far: ByteStream): Promise<void> {
  await Promise.all([near.closeWrite(), far.closeWrite(), drain(near), drain(far)]);
  await within(Promise.all([near.closed, far.closed]), "closed");
}

/** Opening, limits, ends of whole sessions. */
export const lifecycleCases: readonly ComplianceCase[] = [
  {
    name: "both ends know each other's certificate, and which end they are",
    run: ({ dialler, acceptor }) => {
      assert.equal(dialler.role, "dialler");
      assert.equal(acceptor.role, "acceptor");
      assert.equal(dialler.kind, acceptor.kind);
      assert.notEqual(dialler.peer.id, acceptor.peer.id);
      assert.match(dialler.remoteAddress, /:\d+$/);
      assert.match(acceptor.remoteAddress, /:\d+$/);
      return Promise.resolve();
    },
  },
  {
    name: "code and reason of a close reach the other end, and everything open rejects on both",
    run: async ({ dialler, acceptor }) => {
      const [near, far] = await openPair(dialler, acceptor);
      const [full, fullFar] = await openPair(dialler, acceptor);
      const [helper, helperFar] = await openPair(dialler, acceptor);
      const echoed = echo(helperFar);
      const blocked = await fillUntilBlocked(full, helper);
      const ends = [
        assertReset(near.read(), "pending read of the closing end"),
        assertReset(far.read(), "pending read of the other end"),
        assertReset(blocked.pending, "pending write"),
        assertReset(echoed, "echo"),
        acceptor.acceptStream().then((stream) => assert.equal(stream, null)),
        acceptor.receiveDatagram().then((datagram) => assert.equal(datagram, null)),
        dialler.acceptStream().then((stream) => assert.equal(stream, null)),
        dialler.receiveDatagram().then((datagram) => assert.equal(datagram, null)),
      ];
      await within(dialler.close(7, "for the test"), "close");
      await within(Promise.all(ends), "everything ends");
      assert.deepEqual(await within(dialler.closed, "closed here"), {
        code: 7,
        reason: "for the test",
        remote: false,
      });
      assert.deepEqual(await within(acceptor.closed, "closed there"), {
        code: 7,
        reason: "for the test",
        remote: true,
      });
      await within(
        Promise.all([near.closed, far.closed, full.closed, fullFar.closed]),
        "streams closed",
      );
      await assertReset(far.write(Uint8Array.of(1)), "write after the close");
    },
  },
  {
    name: "the acceptor may close too, and closing twice changes nothing",
    run: async ({ dialler, acceptor }) => {
      await Promise.all([acceptor.close(9, "shutting down"), acceptor.close(3, "too late")]);
      await acceptor.close();
      assert.deepEqual(await within(dialler.closed, "closed"), {
        code: 9,
        reason: "shutting down",
        remote: true,
      });
      assert.equal((await acceptor.closed).code, 9);
    },
  },
  {
    name: "after the end: acceptStream and receiveDatagram give null, openStream rejects",
    run: async ({ dialler, acceptor }) => {
      await dialler.close();
      await within(acceptor.closed, "closed");
      for (const session of [dialler, acceptor]) {
        assert.equal(await session.acceptStream(), null);
        assert.equal(await session.receiveDatagram(), null);
        assert.equal(session.sendDatagram(Uint8Array.of(1)), false);
        await assert.rejects(session.openStream(), SessionClosedError);
      }
      assert.deepEqual(await dialler.closed, { code: 0, reason: "", remote: false });
    },
  },
  {
    name: "leaving an `await using` block closes the session",
    run: async ({ dialler, acceptor }) => {
      {
        await using held = dialler;
        assert.equal(held, dialler);
      }
      assert.equal((await within(dialler.closed, "closed here")).remote, false);
      assert.equal((await within(acceptor.closed, "closed there")).remote, true);
    },
  },
  {
    name: "openStream with an aborted signal rejects and the session goes on",
    run: async ({ dialler, acceptor }) => {
      await assert.rejects(dialler.openStream({ signal: AbortSignal.abort() }));
      const [near, far] = await openPair(dialler, acceptor);
      await finish(near, far);
    },
  },
  {
    name: "openStream waits at the peer's stream limit, and goes on when a stream has ended",
    limits: { maxIncomingStreams: 8 },
    run: async ({ dialler, acceptor }) => {
      const open: [ByteStream, ByteStream][] = [];
      let limited = false;
      while (!limited && open.length < 20) {
        let near: ByteStream;
        try {
          near = await openWithin(dialler, 2_000);
        } catch (error) {
          assert.ok(error instanceof StreamLimitError, `expected StreamLimitError, got ${error}`);
          limited = true;
          break;
        }
        await near.write(Uint8Array.of(1));
        const far = await within(acceptor.acceptStream(), "acceptStream");
        assert.ok(far !== null);
        open.push([near, far]);
      }
      assert.ok(limited, "no limit was met");
      assert.ok(open.length >= 4 && open.length <= 8, `${open.length} streams with a limit of 8`);
      const waiting = dialler.openStream();
      const oldest = open.shift();
      assert.ok(oldest !== undefined);
      await finish(...oldest);
      const late = await within(waiting, "openStream once there is room");
      await late.write(Uint8Array.of(1));
      assert.ok(await within(acceptor.acceptStream(), "acceptStream") !== null);
    },
  },
  {
    name: "streams that ended do not count against the limit",
    limits: { maxIncomingStreams: 8 },
    run: async ({ dialler, acceptor }) => {
      for (let i = 0; i < 60; i++) {
        const [near, far] = await openPair(dialler, acceptor);
        if (i % 3 === 2) {
          near.reset();
          await within(far.closed, "closed");
        } else await finish(near, far);
      }
    },
  },
  {
    name: "statistics move",
    run: async ({ dialler, acceptor }) => {
      const before = { near: { ...dialler.stats }, far: { ...acceptor.stats } };
      const [near, far] = await openPair(dialler, acceptor);
      await near.write(new Uint8Array(10_000));
      await finish(near, far);
      assert.equal(dialler.stats.streamsOpened, before.near.streamsOpened + 1);
      assert.equal(acceptor.stats.streamsAccepted, before.far.streamsAccepted + 1);
      assert.ok(dialler.stats.bytesOut - before.near.bytesOut >= 10_000);
      assert.ok(acceptor.stats.bytesIn - before.far.bytesIn >= 10_000);
    },
  },
];
