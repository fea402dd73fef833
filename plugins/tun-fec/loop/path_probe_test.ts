import assert from "node:assert/strict";
import { smallestPath } from "./limits.ts";
import { ladder, PathProbe, probeTimes, smallProbe } from "./path_probe.ts";

/** A path in virtual time, looked at every 50 ms. */
class Path {
  readonly probe = new PathProbe(true);
  now = 0;
  mtu = 1_472;
  interfaceMtu = 65_507;
  roundTrip = 20;
  /** Which datagram of all is lost. */
  lost: (count: number) => boolean = () => false;
  sent: number[] = [];
  changes: string[] = [];
  #count = 0;
  readonly #answers: { number: number; bytes: number; at: number }[] = [];

  run(ms: number, used = true): this {
    for (const end = this.now + ms; this.now < end; this.now += 10) {
      while (this.#answers.length > 0 && this.#answers[0]!.at <= this.now) {
        const { number, bytes } = this.#answers.shift()!;
        if (this.probe.answered(number, bytes, this.now)) this.#changed();
      }
      if (this.now % 50 !== 0) continue;
      for (const bytes of this.probe.due(this.now, used)) {
        if (bytes > this.interfaceMtu) {
          if (this.probe.refused(bytes, this.now)) this.#changed();
          continue;
        }
        const number = this.probe.sent(bytes, this.now);
        this.sent.push(bytes);
        if (bytes > this.mtu || this.lost(this.#count++)) continue;
        this.#answers.push({ number, bytes, at: this.now + this.roundTrip });
      }
    }
    return this;
  }

  #changed(): void {
    this.changes.push(`${this.probe.size}${this.probe.alive ? "" : " dead"}`);
  }
}

Deno.test("a search finds the largest size there is in one round trip, and then is settled", () => {
  const path = new Path();
  assert.equal(path.probe.size, smallestPath.ipv4);
  path.run(60);
  assert.equal(path.probe.size, 1_472);
  assert.equal(path.probe.settled(path.now), false);
  path.run(2_000);
  assert.equal(path.probe.settled(path.now), true);
  assert.equal(path.probe.roundTrip, 20);
});

Deno.test("an unused path is looked at now and then, small and with its size, and never searched", () => {
  const path = new Path();
  path.run(3 * probeTimes.idle, false);
  assert.deepEqual(path.sent, Array.from({ length: 3 }, () => [smallProbe, 1_252]).flat());
});

Deno.test("what the interface refuses is not tried again", () => {
  const path = new Path();
  path.interfaceMtu = 1_452;
  path.run(5_000);
  assert.equal(path.probe.size, 1_452);
  assert.deepEqual(path.sent.filter((bytes) => bytes > 1_452), []);
  path.interfaceMtu = 1_400;
  path.run(2_000);
  assert.equal(path.probe.size, 1_392, "an interface that became smaller is found by its refusal");
});

Deno.test("a path that has become smaller is found soon, and its new size a round trip later", () => {
  const path = new Path().run(5_000);
  path.mtu = 1_380;
  const began = path.now;
  while (path.probe.size === 1_472) path.run(50);
  assert.ok(path.now - began < 2_000, `${path.now - began} ms`);
  path.run(100);
  assert.equal(path.probe.size, 1_372);
  assert.equal(path.probe.alive, true);
});

Deno.test("one that has become larger is found when it is searched again", () => {
  const path = new Path().run(5_000);
  path.mtu = 9_000;
  path.run(probeTimes.raise);
  assert.equal(path.probe.size, ladder[0]);
});

Deno.test("a broken path is told from a smaller one, and is back with its first answer", () => {
  const path = new Path().run(5_000);
  path.lost = () => true;
  const began = path.now;
  while (path.probe.alive) path.run(50);
  assert.ok(path.now - began < 1_600, `${path.now - began} ms`);
  assert.equal(path.probe.size, 1_472);
  path.sent.length = 0;
  path.run(10_000, false);
  assert.ok(path.sent.length <= 11 && path.sent.every((bytes) => bytes === smallProbe));
  path.lost = () => false;
  path.run(probeTimes.dead + 100, false);
  assert.equal(path.probe.alive, true);
});

Deno.test("a path is in doubt from the first look that nobody answers until anything is answered, and each turn of that is told", () => {
  const path = new Path().run(5_000);
  path.changes.length = 0;
  path.lost = () => true;
  const began = path.now;
  while (path.probe.sure) path.run(50);
  assert.ok(path.now - began <= probeTimes.used + probeTimes.answerLeast + 100);
  assert.equal(path.probe.alive, true);
  path.lost = () => false;
  while (!path.probe.sure) path.run(10);
  assert.ok(path.now - began < 1_200, `${path.now - began} ms`);
  assert.deepEqual(path.changes, ["1472"]);
});

Deno.test("with a tenth of all datagrams lost the size stays, and the path is not given up", () => {
  const path = new Path();
  let seed = 1;
  path.lost = () => (seed = Math.imul(seed, 1_664_525) + 1_013_904_223 >>> 0) / 2 ** 32 < 0.1;
  path.run(120_000);
  assert.equal(path.probe.size, 1_472);
  assert.ok(path.changes.length < 8, path.changes.join());
  assert.ok(!path.changes.some((change) => change.includes("dead")));
});

Deno.test("answers to what was not asked, or long ago, change nothing", () => {
  const probe = new PathProbe(false);
  const first = probe.sent(1_472, 0);
  assert.equal(probe.answered(first, 8_972, 1), false);
  assert.equal(probe.answered(first + 1, 1_472, 1), false);
  for (let i = 0; i < 100; i++) probe.sent(smallProbe, 0);
  assert.equal(probe.answered(first, 1_472, 1), false);
  assert.equal(probe.size, smallestPath.ipv6);
});

Deno.test("long round trips are waited for", () => {
  const path = new Path();
  path.roundTrip = 600;
  path.run(30_000);
  assert.deepEqual([path.probe.size, path.probe.alive], [1_472, true]);
});

Deno.test("a path that has filled up is told from one that has not, until it leads elsewhere", () => {
  const path = new Path().run(5_000);
  assert.equal(path.probe.inflated(path.now), false);
  path.roundTrip = 90;
  path.run(5_000);
  assert.equal(path.probe.inflated(path.now), true);
  path.probe.moved();
  assert.equal(path.probe.inflated(path.now), false);
  path.run(5_000);
  assert.equal(path.probe.inflated(path.now), false, "90 ms are what this one takes");
});

Deno.test("of a path that leads elsewhere now nothing is believed, and it is searched with its next use", () => {
  const path = new Path().run(5_000);
  path.mtu = 1_400;
  path.probe.moved();
  assert.equal(path.probe.size, smallestPath.ipv4);
  path.run(100);
  assert.equal(path.probe.size, 1_392);
});
