import assert from "node:assert/strict";
import { followerQueue, maxFollowers } from "./event_feed.ts";
import { defaultEventLimits, type EventLimits, EventStore } from "./event_store.ts";
import { SteadyTime } from "./steady_time.ts";
import { type TestStorage, withStorage } from "./testing.ts";
import type { FollowItem } from "./types.ts";

function storeIn({ clock, open }: TestStorage, limits: Partial<EventLimits> = {}) {
  const time = new SteadyTime(clock);
  return new EventStore({
    database: open().database,
    limits: { ...defaultEventLimits, ...limits },
    wall: () => clock.wall(),
    steady: () => time.now(),
  });
}

Deno.test("events come back newest first, by type, node and time, page by page", () =>
  withStorage((storage) => {
    using store = storeIn(storage);
    for (let i = 0; i < 10; i++) {
      store.append(i % 2 === 0 ? "link_up" : "link_down", {
        node: i < 4 ? "a" : "b",
        ...(i % 2 === 1 && { error: "gone" }),
        transport: "quic",
      });
      storage.clock.mono += 1_000;
    }
    const ids = (query: Partial<Parameters<EventStore["query"]>[0]>) =>
      store.query({ limit: 100, ...query }).events.map(({ id }) => id);
    assert.deepEqual(ids({}), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert.deepEqual(ids({ type: "link_up" }), [9, 7, 5, 3, 1]);
    assert.deepEqual(ids({ type: "link_up", node: "a" }), [3, 1]);
    const begin = Date.UTC(2026, 0, 1);
    assert.deepEqual(ids({ since: begin + 3_000, until: begin + 6_000 }), [6, 5, 4]);
    const page = store.query({ limit: 4 });
    assert.equal(page.next, "7");
    assert.deepEqual(ids({ limit: 4, before: Number(page.next) }), [6, 5, 4, 3]);
    assert.equal(store.query({ limit: 4, before: 3 }).next, null);
    assert.deepEqual(page.events[0], {
      id: 10,
      ts: "2026-01-01T00:00:09.000Z",
      type: "link_down",
      node: "b",
      detail: null,
      error: "gone",
      fields: { transport: "quic" },
    });
  }));

Deno.test("numbers go on after a restart", () =>
  withStorage((storage) => {
    {
      using store = storeIn(storage);
      store.append("startup", {});
      store.append("shutdown", {});
    }
    using store = storeIn(storage);
    assert.equal(store.append("startup", {}).id, 3);
    assert.deepEqual(store.query({ limit: 9 }).events.map(({ id }) => id), [3, 2, 1]);
  }));

Deno.test("beyond the number, the bytes or the age that is kept, the oldest go", () =>
  withStorage((storage) => {
    using store = storeIn(storage, { rows: 500, bytes: 40_000, ageMs: 86_400_000 });
    for (let i = 0; i < 2_000; i++) {
      store.append("x", {});
      if (i % 100 === 99) store.flush();
    }
    const count = () => store.query({ limit: 10_000 }).events;
    assert.ok(count().length <= 500 && count().length >= 400, `${count().length}`);
    assert.equal(count()[0]?.id, 2_000);
    for (let i = 0; i < 200; i++) store.append("y", { detail: "z".repeat(1_000) });
    const texts = count().reduce((sum, { detail }) => sum + (detail?.length ?? 0), 0);
    assert.ok(texts <= 40_000 && texts >= 30_000, `${texts}`);
    storage.clock.mono += 2 * 86_400_000;
    for (let i = 0; i < 101; i++) {
      store.append("late", {});
      store.flush();
    }
    assert.deepEqual(new Set(count().map(({ type }) => type)), new Set(["late"]));
  }));

Deno.test("what an event says is bounded and without secrets", () =>
  withStorage((storage) => {
    using store = storeIn(storage);
    store.append("t".repeat(100), {
      node: "n".repeat(100),
      detail: "d".repeat(10_000),
      token: "very secret",
      note: "join with pls_eyJuIjoiY29ycCJ9",
    });
    store.append(
      "big",
      Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, "v".repeat(500)])),
    );
    const [big, first] = store.query({ limit: 2 }).events;
    assert.deepEqual(big?.fields, { cut: true });
    assert.equal(first?.type.length, 64);
    assert.equal(first?.node?.length, 64);
    assert.ok((first?.detail?.length ?? 0) <= 1_024);
    assert.deepEqual(first?.fields, { token: "[redacted]", note: "join with [redacted]" });
  }));

async function take(items: AsyncIterator<FollowItem>, count: number): Promise<(number | string)[]> {
  const taken: (number | string)[] = [];
  while (taken.length < count) {
    const { value, done } = await items.next();
    if (done) break;
    taken.push(value.kind === "event" ? value.event.id : `lost ${value.count}`);
  }
  return taken;
}

Deno.test("a follower gets what it missed, then what happens, filtered", () =>
  withStorage(async (storage) => {
    using store = storeIn(storage);
    for (let i = 0; i < 5; i++) store.append(i === 3 ? "other" : "x", {});
    const stop = new AbortController();
    const items = store.follow({ after: 2, type: "x", signal: stop.signal });
    store.append("x", {});
    store.append("other", {});
    assert.deepEqual(await take(items, 3), [3, 5, 6]);
    const next = take(items, 1);
    store.append("x", {});
    assert.deepEqual(await next, [8]);
    const end = items.next();
    stop.abort();
    assert.equal((await end).done, true);
  }));

Deno.test("a slow follower loses the oldest and is told how many; the others lose nothing", () =>
  withStorage(async (storage) => {
    using store = storeIn(storage);
    const stop = new AbortController();
    const slow = store.follow({ signal: stop.signal });
    const quick = store.follow({ signal: stop.signal });
    for (let i = 1; i <= followerQueue + 10; i++) {
      store.append("x", {});
      assert.deepEqual(await take(quick, 1), [i]);
    }
    assert.deepEqual(await take(slow, 3), ["lost 10", 11, 12]);
    assert.equal((await take(slow, followerQueue - 2)).at(-1), followerQueue + 10);
    stop.abort();
  }));

Deno.test("followers are limited, and those that are gone make room", () =>
  withStorage(async (storage) => {
    using store = storeIn(storage);
    const stop = new AbortController();
    const { signal } = stop;
    for (let i = 0; i < maxFollowers; i++) store.follow({ signal });
    const { signal: other } = new AbortController();
    assert.throws(() => store.follow({ signal: other }), { code: "HISTORY_FOLLOWERS_UNAVAILABLE" });
    stop.abort();
    const last = store.follow({ signal: other });
    const waiting = last.next();
    store[Symbol.dispose]();
    assert.equal((await waiting).done, true);
  }));
