import assert from "node:assert/strict";
import fc from "fast-check";
import { LinkProber, PROBE_BYTES } from "./prober.ts";
import { seededRandom } from "./testing.ts";

interface Run {
  readonly prober: LinkProber;
  readonly sentAt: number[];
  readonly deadAt: number[];
}

/**
 * Runs one prober against a peer in virtual time.
 *
 * @param rtt the round trip of a probe sent at `now`, or undefined when it is lost
 */
function run(untilMs: number, rtt: (now: number) => number | undefined): Run {
  const prober = new LinkProber({ random: seededRandom(7) });
  const peer = new LinkProber({ random: seededRandom(8) });
  const sentAt: number[] = [];
  const deadAt: number[] = [];
  const pongs: { at: number; payload: Uint8Array }[] = [];
  let now = 0;
  while (now <= untilMs) {
    const { send, dead } = prober.tick(now);
    if (dead) deadAt.push(now);
    if (send) {
      sentAt.push(now);
      const delay = rtt(now);
      const reply = peer.receive(send, now).reply;
      if (delay !== undefined && reply) pongs.push({ at: now + delay, payload: reply });
    }
    pongs.sort((a, b) => a.at - b.at);
    const wake = Math.max(now, prober.nextWake());
    const pong = pongs[0];
    if (pong && pong.at <= wake) {
      pongs.shift();
      prober.receive(pong.payload, pong.at);
      now = pong.at;
    } else {
      if (wake === Infinity) break;
      now = wake;
    }
  }
  return { prober, sentAt, deadAt };
}

Deno.test("a new link is probed three times in its first second, then every five seconds", () => {
  const { sentAt } = run(21_000, () => 10);
  assert.deepEqual(sentAt, [0, 300, 600, 5600, 10_600, 15_600, 20_600]);
});

Deno.test("latency is the smoothed round trip, jitter the smoothed change, loss zero", () => {
  const { quality } = run(60_000, () => 20).prober;
  assert.deepEqual(quality, { latencyMs: 20, jitterMs: 0, loss: 0, samples: 10, dead: false });
  const delays = [10, 20];
  const { quality: changed } = run(400, () => delays.shift()).prober;
  assert.equal(changed.latencyMs, 13);
  assert.equal(changed.jitterMs, 10 / 16);
});

Deno.test("nothing is known before the first answer", () => {
  const prober = new LinkProber({ random: seededRandom(1) });
  assert.deepEqual(prober.quality, {
    latencyMs: null,
    jitterMs: 0,
    loss: 0,
    samples: 0,
    dead: false,
  });
});

Deno.test("loss is the share of failures among the last ten probes", () => {
  let probes = 0;
  const { prober, deadAt } = run(300_000, () => ++probes % 5 === 0 ? undefined : 10);
  assert.equal(prober.quality.loss, 0.2);
  assert.deepEqual(deadAt, []);
});

Deno.test("a link that stops answering is dead within 20 s, and the event comes once", () => {
  const { deadAt, prober, sentAt } = run(600_000, (now) => now < 60_000 ? 10 : undefined);
  assert.equal(deadAt.length, 1);
  assert.ok(deadAt[0]! > 60_000 + 5000 && deadAt[0]! <= 60_000 + 20_000, `${deadAt}`);
  assert.equal(prober.nextWake(), Infinity);
  assert.ok(sentAt.at(-1)! < deadAt[0]!, "a dead link is not probed");
  assert.deepEqual(prober.tick(700_000), {}, "and never reported again");
});

Deno.test("a link that never answers is dead within 10 s", () => {
  const { deadAt } = run(60_000, () => undefined);
  assert.equal(deadAt.length, 1);
  assert.ok(deadAt[0]! <= 10_000, `${deadAt}`);
});

Deno.test("a link that loses four probes of five is bad, not dead", () => {
  let probes = 0;
  const { deadAt, prober } = run(600_000, () => ++probes % 5 === 0 ? 10 : undefined);
  assert.deepEqual(deadAt, []);
  assert.equal(prober.quality.loss, 0.8);
});

Deno.test("an answer after three seconds is a failure", () => {
  const { prober } = run(9000, () => 3000);
  assert.equal(prober.quality.latencyMs, null);
  assert.equal(prober.quality.loss, 1);
  const late = new LinkProber({ random: seededRandom(1) });
  const pong = new LinkProber({ random: seededRandom(2) }).receive(late.tick(0).send!, 0).reply!;
  late.receive(pong, 3000);
  assert.equal(late.quality.latencyMs, null, "also when no tick came in between");
});

Deno.test("unknown, repeated, forged and malformed answers are ignored", () => {
  const prober = new LinkProber({ random: seededRandom(1) });
  const probe = prober.tick(0).send!;
  assert.equal(probe.length, PROBE_BYTES);
  const pong = probe.slice();
  pong[0] = 2;
  const forged = pong.slice();
  forged[12]! ^= 1;
  for (const bad of [forged, pong.subarray(1), new Uint8Array(PROBE_BYTES), new Uint8Array(0)]) {
    assert.deepEqual(prober.receive(bad, 1), {});
  }
  assert.equal(prober.quality.samples, 0);
  prober.receive(pong, 7);
  prober.receive(pong, 9);
  assert.equal(prober.quality.samples, 1);
  assert.equal(prober.quality.latencyMs, 7);
});

Deno.test("a peer cannot answer before it was asked: the nonce is not to be guessed from earlier ones", () => {
  const prober = new LinkProber({ random: seededRandom(1) });
  const pong = prober.tick(0).send!.slice();
  pong[0] = 2;
  prober.receive(pong, 10);
  prober.tick(300);
  new DataView(pong.buffer).setUint32(1, 2);
  prober.receive(pong, 300);
  assert.equal(prober.quality.samples, 1);
});

Deno.test("a measured link is never 0 ms, which would count as unmeasured", () => {
  const prober = new LinkProber({ random: seededRandom(1) });
  const pong = prober.tick(0).send!.slice();
  pong[0] = 2;
  prober.receive(pong, 0);
  assert.ok(prober.quality.latencyMs! > 0);
});

Deno.test("a flood of probes is answered sixteen times a second", () => {
  const prober = new LinkProber({ random: seededRandom(1) });
  const probe = new LinkProber({ random: seededRandom(2) }).tick(0).send!;
  let replies = 0;
  for (let now = 0; now < 2000; now++) if (prober.receive(probe, now).reply) replies++;
  assert.equal(replies, 32);
});

Deno.test("no payload makes a prober throw or answer with more than it got", () => {
  const prober = new LinkProber({ random: seededRandom(1) });
  prober.tick(0);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(5000), (payload, now) => {
    const { reply } = prober.receive(payload, now);
    assert.ok(reply === undefined || reply.length === payload.length);
    assert.equal(prober.quality.samples, 0);
  }));
});

Deno.test("ticking more often than asked sends nothing extra", () => {
  const prober = new LinkProber({ random: seededRandom(1) });
  let sent = 0;
  for (let now = 0; now <= 2900; now += 10) if (prober.tick(now).send) sent++;
  assert.equal(sent, 3);
});
