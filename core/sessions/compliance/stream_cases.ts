import assert from "node:assert/strict";
import type { Session } from "../types.ts";
import {
  assertReset,
  type ComplianceCase,
  drain,
  echo,
  fillUntilBlocked,
  openPair,
  readExactly,
  roundTrips,
  type SessionPair,
  within,
} from "./suite_support.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** Runs a rule with each end in each part. */
async function eachWay(
  pair: SessionPair,
  rule: (from: Session, to: Session) => Promise<void>,
): Promise<void> {
  await rule(pair.dialler, pair.acceptor);
  await rule(pair.acceptor, pair.dialler);
}

/** Life and death of single streams. */
export const streamCases: readonly ComplianceCase[] = [
  {
    name: "either end opens streams and bytes go both ways on them",
    run: (pair) =>
      eachWay(pair, async (from, to) => {
        const [near, far] = await openPair(from, to);
        await near.write(text("there"));
        assert.deepEqual(await readExactly(far, 5), text("there"));
        await far.write(text("and back"));
        assert.deepEqual(await readExactly(near, 8), text("and back"));
        await Promise.all([near.closeWrite(), far.closeWrite()]);
        assert.equal(await within(near.read(), "end"), null);
        assert.equal(await within(far.read(), "end"), null);
        await within(Promise.all([near.closed, far.closed]), "closed");
      }),
  },
  {
    name: "a half-closed stream still carries data the other way",
    run: (pair) =>
      eachWay(pair, async (from, to) => {
        const [near, far] = await openPair(from, to);
        await near.write(text("last words"));
        await near.closeWrite();
        await near.closeWrite();
        assert.equal((await drain(far)).length, 10);
        assert.equal(await within(far.read(), "read after the end"), null);
        for (let i = 0; i < 50; i++) {
          await within(far.write(text("0123456789")), "write after end");
        }
        assert.deepEqual(
          new TextDecoder().decode(await readExactly(near, 500)),
          "0123456789".repeat(50),
        );
        await far.closeWrite();
        assert.equal(await within(near.read(), "end"), null);
        await within(Promise.all([near.closed, far.closed]), "closed");
      }),
  },
  {
    name: "the acceptor of a stream may half-close first",
    run: (pair) =>
      eachWay(pair, async (from, to) => {
        const [near, far] = await openPair(from, to);
        await far.closeWrite();
        assert.equal(await within(near.read(), "end"), null);
        await near.write(text("still heard"));
        await near.closeWrite();
        assert.equal((await drain(far)).length, 11);
        await within(Promise.all([near.closed, far.closed]), "closed");
      }),
  },
  {
    name: "a stream opened and closed without a byte is accepted and ends at once",
    run: (pair) =>
      eachWay(pair, async (from, to) => {
        const near = await from.openStream();
        await near.closeWrite();
        const far = await within(to.acceptStream(), "acceptStream");
        assert.ok(far !== null);
        assert.equal(await within(far.read(), "end"), null);
        await far.closeWrite();
        assert.equal(await within(near.read(), "end"), null);
      }),
  },
  {
    name: "writing after closeWrite rejects",
    run: async ({ dialler, acceptor }) => {
      const [near] = await openPair(dialler, acceptor);
      await near.closeWrite();
      await assert.rejects(near.write(text("too late")));
    },
  },
  {
    name: "a reset rejects the pending read and later calls on both ends",
    run: (pair) =>
      eachWay(pair, async (from, to) => {
        const [near, far] = await openPair(from, to);
        const pending = [
          assertReset(near.read(), "own pending read"),
          assertReset(far.read(), "peer's pending read"),
        ];
        near.reset(5);
        near.reset(6);
        await Promise.all(pending);
        await within(Promise.all([near.closed, far.closed]), "closed");
        await assertReset(near.write(text("x")), "own later write");
        await assertReset(far.write(text("x")), "peer's later write");
        await assertReset(near.read(), "own later read");
        await assertReset(far.read(), "peer's later read");
      }),
  },
  {
    name: "the end that did not open a stream may reset it",
    run: (pair) =>
      eachWay(pair, async (from, to) => {
        const [near, far] = await openPair(from, to);
        const pending = assertReset(near.read(), "opener's pending read");
        far.reset();
        await pending;
        await assertReset(near.write(text("x")), "opener's later write");
        await within(Promise.all([near.closed, far.closed]), "closed");
      }),
  },
  {
    name: "a reset rejects a write that waits for the reader",
    run: (pair) =>
      eachWay(pair, async (from, to) => {
        const [near, far] = await openPair(from, to);
        const [other, otherFar] = await openPair(from, to);
        const echoed = echo(otherFar);
        const { pending } = await fillUntilBlocked(near, other);
        far.reset();
        await assertReset(pending, "blocked write");
        await roundTrips(other, 1);
        await other.closeWrite();
        await within(echoed, "echo end");
      }),
  },
  {
    name: "resetting one stream leaves the others alone",
    run: async ({ dialler, acceptor }) => {
      const [first] = await openPair(dialler, acceptor);
      const [second, secondFar] = await openPair(dialler, acceptor);
      const echoed = echo(secondFar);
      first.reset();
      await roundTrips(second, 5);
      await second.closeWrite();
      await within(echoed, "echo end");
    },
  },
  {
    name: "disposing an unfinished stream ends it on both ends",
    run: async ({ dialler, acceptor }) => {
      const [near, far] = await openPair(dialler, acceptor);
      {
        await using held = near;
        await held.write(text("x"));
      }
      await within(near.closed, "closed");
      const end = (async () => {
        while (await far.read() !== null);
      })();
      // Both are right: a peer that was told "reset", and one that had already been told "end".
      await within(end.catch(() => {}), "end at the peer");
      far.reset();
      await within(far.closed, "closed at the peer");
    },
  },
];
