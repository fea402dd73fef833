import assert from "node:assert/strict";
import { EphemeralWatch, type Sighting } from "./ephemeral_watch.ts";

const minute = 60_000;
const ttls = new Map([["a", 5 * minute]]);
const relay: Sighting = { id: "relay", lastSeenSeconds: 0, linked: true };
const a = (lastSeenSeconds: number | null, linked = false): Sighting => ({
  id: "a",
  lastSeenSeconds,
  linked,
});

Deno.test("a node goes once it has been gone for longer than its time, and not before", () => {
  const watch = new EphemeralWatch();
  assert.deepEqual(watch.look([relay, a(0, true)], ttls, 0), []);
  assert.deepEqual(watch.look([relay], ttls, 5 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 5 * minute + 1), ["a"]);
});

Deno.test("what the directory last saw counts, and a node that is back begins anew", () => {
  const watch = new EphemeralWatch();
  watch.look([relay], ttls, 0);
  assert.deepEqual(watch.look([relay, a(60)], ttls, 5 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 9 * minute), []);
  assert.deepEqual(watch.look([relay, a(1_000, true)], ttls, 9.5 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 14 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 15 * minute), ["a"]);
});

Deno.test("the time the scribe was off or alone counts against nobody", () => {
  const watch = new EphemeralWatch();
  // Just started: it has not been here to see anybody.
  assert.deepEqual(watch.look([relay], ttls, 100 * minute), []);
  assert.deepEqual(watch.look([{ ...relay, linked: false }, a(900)], ttls, 200 * minute), []);
  assert.deepEqual(watch.look([], ttls, 300 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 300 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 306 * minute), ["a"]);
});

Deno.test("who is no longer ephemeral is not looked after", () => {
  const watch = new EphemeralWatch();
  watch.look([relay], ttls, 0);
  assert.deepEqual(watch.look([relay], new Map(), 100 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 100 * minute), []);
});
