import assert from "node:assert/strict";
import { PingTracker } from "./ping_tracker.ts";

Deno.test("an answer gives the round trip and moves the smoothed one by an eighth", () => {
  const pings = new PingTracker();
  const seen: (number | null)[] = [];
  const ping = (sent: number, answered: number) => {
    const id = pings.start(sent, (roundTrip) => seen.push(roundTrip));
    assert.ok(id !== null);
    pings.answered(id, answered);
  };
  ping(100, 108);
  assert.equal(pings.roundTripMs, 8);
  ping(200, 216);
  assert.equal(pings.roundTripMs, 9);
  assert.deepEqual(seen, [8, 16]);
});

Deno.test("answers nobody waits for are ignored, and 16 pings may be on their way", () => {
  const pings = new PingTracker();
  let unanswered = 0;
  pings.answered(77, 5);
  for (let i = 0; i < 16; i++) assert.notEqual(pings.start(0, () => unanswered++), null);
  assert.equal(pings.start(0, () => unanswered++), null);
  pings.answered(3, 1);
  pings.answered(3, 1);
  assert.equal(unanswered, 1);
  assert.notEqual(pings.start(0, () => unanswered++), null);
  pings.end();
  assert.equal(unanswered, 17);
});
