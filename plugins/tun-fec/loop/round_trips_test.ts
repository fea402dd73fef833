import assert from "node:assert/strict";
import { seededRandom } from "../../../core/router/testing.ts";
import { RoundTrips, roundTripTimes } from "./round_trips.ts";

/** Two answers every 500 ms for a while, as a path in use has. @returns how often the path seemed full at an answer */
function trace(
  trips: RoundTrips,
  from: number,
  ms: number,
  time: (at: number) => number,
  answered: () => boolean = () => true,
): number {
  let full = 0;
  for (let now = from; now < from + ms; now += 500) {
    for (let i = 0; i < 2; i++) {
      if (answered()) trips.add(time(now - from), now);
    }
    if (trips.inflated(now)) full++;
  }
  return full;
}

Deno.test("a busy machine, which makes most answers late, is no full path", () => {
  const random = seededRandom(1);
  const delay = (mean: number) => -mean * Math.log(1 - random());
  for (const base of [0.2, 10, 80]) {
    // Seven of ten wait for their turn, some for long, at either end.
    const noisy = () => base + (random() < 0.7 ? delay(30) : 0) + (random() < 0.02 ? 300 : 0);
    assert.equal(trace(new RoundTrips(), 0, 600_000, noisy), 0, `base ${base}`);
  }
});

Deno.test("stalls of all answers for a second are no full path either", () => {
  const trips = new RoundTrips();
  const stalls = (at: number) => at % 10_000 < 1_000 ? 150 : 1;
  assert.equal(trace(trips, 0, 120_000, stalls), 0);
});

Deno.test("a standing queue is seen within seconds, and its end at once", () => {
  for (const base of [1, 30, 120]) {
    const trips = new RoundTrips();
    const random = seededRandom(2);
    const jitter = () => 5 * random();
    assert.equal(trace(trips, 0, 20_000, () => base + jitter()), 0);
    const queue = Math.max(30, base / 2);
    const full = trace(trips, 20_000, 20_000, () => base + queue + jitter());
    assert.ok(full >= 40 - 2 * roundTripTimes.recent / 1_000 - 1, `${full} of 40 looks`);
    trips.add(base, 40_000);
    assert.equal(trips.inflated(40_000), false);
  }
});

Deno.test("the sawtooth of one flow in a buffer as deep as the path is long is seen when it is full", () => {
  const trips = new RoundTrips();
  trace(trips, 0, 10_000, () => 50);
  // Four seconds from 0.7 times two windows up to two, along a cubic curve; loss comes at the top.
  const window = (at: number) => {
    const t = at % 4_000 / 4_000;
    return 2 - 0.6 * (1 - t) ** 3;
  };
  trace(trips, 10_000, 40_000, (at) => 50 * window(at));
  assert.equal(trips.inflated(50_000 - 500), true);
});

Deno.test("losses among the probes do not change what the others say", () => {
  const random = seededRandom(3);
  const trips = new RoundTrips();
  const answered = () => random() > 0.2;
  trace(trips, 0, 20_000, () => 20, answered);
  assert.ok(trace(trips, 20_000, 20_000, () => 60, answered) > 25);
});

Deno.test("few answers say nothing, and an old path's base nothing of a new one", () => {
  const trips = new RoundTrips();
  assert.equal(trips.inflated(0), false);
  trips.add(1, 0);
  for (let i = 1; i < roundTripTimes.answers; i++) trips.add(500, 60_000);
  assert.equal(trips.inflated(60_000), false, "three late ones");
  trips.add(500, 60_000);
  assert.equal(trips.inflated(60_000), true, "and a fourth");
  assert.equal(trips.inflated(60_000 + 2 * roundTripTimes.recent), false, "long ago");
  trips.clear();
  trace(trips, 70_000, 5_000, () => 500);
  assert.equal(trips.inflated(74_500), false);
});

Deno.test("a path that has become longer for good is believed after some minutes", () => {
  const trips = new RoundTrips();
  trace(trips, 0, 60_000, () => 20);
  const full = trace(trips, 60_000, 2 * roundTripTimes.base, () => 90);
  assert.ok(full > 0);
  assert.equal(trips.inflated(60_000 + 2 * roundTripTimes.base - 500), false);
});
