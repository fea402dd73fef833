import assert from "node:assert/strict";
import { EphemeralWatch, type Sighting } from "./ephemeral_watch.ts";

const minute = 60_000;
const ttls = new Map([["a", 5 * minute]]);
const relay: Sighting = { id: "relay", reachable: true };
const a = (reachable: boolean): Sighting => ({ id: "a", reachable });

Deno.test("a node goes once it has been gone for longer than its time, and not before", () => {
  const watch = new EphemeralWatch();
  assert.deepEqual(watch.look([relay, a(true)], ttls, 0), []);
  assert.deepEqual(watch.look([relay, a(false)], ttls, 5 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 5 * minute + 1), ["a"]);
});

Deno.test("a node that can be reached stays, and one that is back begins anew", () => {
  const watch = new EphemeralWatch();
  for (let now = 0; now <= 60 * minute; now += minute) {
    assert.deepEqual(watch.look([relay, a(true)], ttls, now), []);
  }
  assert.deepEqual(watch.look([relay], ttls, 64 * minute), []);
  assert.deepEqual(watch.look([relay, a(true)], ttls, 64.5 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 69 * minute), []);
  assert.deepEqual(watch.look([relay], ttls, 70 * minute), ["a"]);
});

Deno.test("a node that has joined and is yet to come has a minute, however short its time is", () => {
  const watch = new EphemeralWatch();
  const short = new Map([["a", 2_000]]);
  assert.deepEqual(watch.look([relay], short, 0), []);
  assert.deepEqual(watch.look([relay], short, minute), []);
  assert.deepEqual(watch.look([relay], short, minute + 1), ["a"]);
  assert.deepEqual(watch.look([relay, a(true)], short, 2 * minute), []);
  assert.deepEqual(watch.look([relay], short, 2 * minute + 2_001), ["a"]);
});

Deno.test("the time the scribe was off or alone counts against nobody", () => {
  const watch = new EphemeralWatch();
  // Just started: it has not been here to see anybody.
  assert.deepEqual(watch.look([relay], ttls, 100 * minute), []);
  assert.deepEqual(watch.look([{ ...relay, reachable: false }, a(false)], ttls, 200 * minute), []);
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
