import assert from "node:assert/strict";
import { Keepalive } from "./keepalive.ts";

Deno.test("a silent peer is pinged every interval and given up at the time-out", () => {
  const keepalive = new Keepalive(3000, 9000, 0);
  const verdicts: [number, string][] = [];
  for (;;) {
    const now = keepalive.deadline;
    const verdict = keepalive.tick(now);
    verdicts.push([now, verdict]);
    if (verdict === "dead") break;
  }
  assert.deepEqual(verdicts, [[3000, "ping"], [6000, "ping"], [9000, "dead"]]);
});

Deno.test("any sign of life puts the end off", () => {
  const keepalive = new Keepalive(3000, 9000, 0);
  for (let now = 3000; now <= 30_000; now += 3000) {
    assert.equal(keepalive.tick(now), "ping");
    keepalive.heard(now + 10);
  }
  assert.equal(keepalive.tick(33_000), "ping");
  assert.equal(keepalive.tick(36_000), "ping");
  assert.equal(keepalive.deadline, 39_000);
  assert.equal(keepalive.tick(39_000), "ping");
  assert.equal(keepalive.deadline, 39_010);
  assert.equal(keepalive.tick(39_010), "dead");
});

Deno.test("a process that stood still for an hour asks again before it gives the peer up", () => {
  const keepalive = new Keepalive(3000, 9000, 0);
  const woken = 3_600_000;
  assert.equal(keepalive.tick(woken), "ping");
  assert.equal(keepalive.tick(woken + 3000), "ping");
  assert.equal(keepalive.tick(woken + 6000), "ping");
  assert.equal(keepalive.tick(woken + 9000), "dead");
});
