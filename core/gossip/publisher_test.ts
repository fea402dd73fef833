import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { GossipError } from "./errors.ts";
import { defaultGossipLimits, maxSequence } from "./limits.ts";
import { Detail } from "./message.ts";
import { Publisher } from "./publisher.ts";
import { emptyReport, seededRandom } from "./testing.ts";

async function publisher(initialSequence = 1): Promise<Publisher> {
  const ca = await createTestCa();
  const { certificate, key } = await ca.issue();
  return new Publisher({
    self: { certificate, sign: (message) => key.sign(message) },
    network: ca.network,
    report: emptyReport,
    initialSequence,
    limits: defaultGossipLimits,
    random: seededRandom(1),
    now: 0,
  });
}

/** Times at which something was published in ten minutes, and what of it was news. */
function publications(publisher: Publisher, at: (now: number) => void = () => {}, ms = 600_000) {
  const published: { now: number; news: Detail }[] = [];
  for (let now = 0; now <= ms; now += 100) {
    at(now);
    const next = publisher.publish(now);
    if (next !== null) published.push({ now, news: next.news });
  }
  return published;
}

Deno.test("the first record has the initial sequence and is news in everything", async () => {
  const node = await publisher(41);
  const first = node.publish(0);
  assert.equal(first?.entry.sequence, 41);
  assert.equal(first?.news, Detail.certificate);
  assert.equal(node.sequence, 41);
});

Deno.test("a silent node refreshes every 100 to 120 seconds: at least twice before anybody prunes it", async () => {
  const times = publications(await publisher());
  assert.deepEqual(times.map(({ news }) => news).slice(1), times.slice(1).map(() => Detail.head));
  times.forEach(({ now }, i) => {
    const gap = now - (times[i - 1]?.now ?? now);
    assert.ok(i === 0 || (gap >= 100_000 && gap <= 120_100), `${gap} ms`);
  });
  assert.ok(defaultGossipLimits.pruneMs >= 2 * 120_000);
});

Deno.test("changes wait half a second for each other, and later for the rate others take", async () => {
  const node = await publisher();
  const times = publications(node, (now) => {
    if (now >= 5_000 && now < 65_000) node.say({ ...emptyReport, version: `v${now}` }, now);
  });
  const changes = times.filter(({ news }) => news === Detail.content);
  assert.deepEqual(changes.slice(0, 4).map(({ now }) => now), [5_000, 5_500, 6_000, 6_500]);
  assert.ok(changes.length <= 10 + 60 * 0.4 + 1, `${changes.length} changes in a minute`);
});

Deno.test("a change that was taken back before it was published is not published", async () => {
  const node = await publisher();
  node.publish(0);
  node.say({ ...emptyReport, version: "other" }, 10);
  node.say(emptyReport, 20);
  const next = node.publish(20_000);
  assert.equal(next?.news, Detail.head);
});

Deno.test("an overtaken node rises above what was heard, and that is news even when it says the same", async () => {
  const node = await publisher();
  node.publish(0);
  node.overtaken(700, 1_000);
  const next = node.publish(1_000);
  assert.equal(next?.entry.sequence, 701);
  assert.equal(next?.news, Detail.content);
});

Deno.test("six neighbours that show the same old record are one reason to answer, at once", async () => {
  const node = await publisher();
  node.publish(0);
  const answers = [700, 700, 698, 701, 700, 701].map((sequence) => node.overtaken(sequence, 1_000));
  assert.deepEqual(answers, [true, false, false, true, false, false]);
  assert.equal(node.publish(1_000)?.entry.sequence, 702);
});

Deno.test("two processes with one key do not shout at each other for ever", async () => {
  const one = await publisher();
  const two = await publisher();
  let count = 0;
  for (let now = 0; now < 600_000; now += 100) {
    for (const [self, other] of [[one, two], [two, one]] as const) {
      if (self.publish(now) === null) continue;
      count++;
      other.overtaken(self.sequence, now);
    }
  }
  assert.ok(count < 40, `${count} records in ten minutes`);
});

Deno.test("a node whose sequences are used up falls silent and says so", async () => {
  const node = await publisher();
  node.publish(0);
  node.overtaken(maxSequence, 10);
  assert.equal(node.exhausted, true);
  assert.equal(node.publish(1_000), null);
  assert.equal(node.nextAt, Infinity);
  await assert.rejects(
    publisher(maxSequence + 1),
    (error) => error instanceof GossipError && error.code === "GOSSIP_SEQUENCE_EXHAUSTED",
  );
});
