import assert from "node:assert/strict";
import { RollExchange } from "./roll_exchange.ts";
import { newCa, testNetwork, writeRoll } from "./testing.ts";
import { TrustStore } from "./trust_store.ts";

const [old, next] = [await newCa(), await newCa()];
const overlap = writeRoll(old, next, 1);
const finished = writeRoll(old, next, 2, "finished");

/** Nodes in a row, each linked to the next; messages arrive at once. */
class Row {
  readonly stores: readonly TrustStore[];
  readonly exchanges: readonly RollExchange[];
  delivered = 0;

  constructor(count: number) {
    this.stores = Array.from(
      { length: count },
      () => new TrustStore({ network: testNetwork, root: old.anchor }),
    );
    this.exchanges = this.stores.map((store) => new RollExchange(store));
    for (let i = 1; i < count; i++) this.link(i - 1, i);
  }

  link(a: number, b: number): void {
    this.run(a, this.exchanges[a]!.linkUp(String(b), 0));
    this.run(b, this.exchanges[b]!.linkUp(String(a), 0));
  }

  run(at: number, { messages }: ReturnType<RollExchange["tick"]>, now = 0): void {
    for (const { peer, bytes } of messages) {
      assert.ok(++this.delivered < 1_000, "messages go round for ever");
      const to = Number(peer);
      this.run(to, this.exchanges[to]!.receive(String(at), bytes, now), now);
    }
  }

  say(at: number, word: Uint8Array, now = 0): void {
    assert.ok(this.stores[at]!.offer(word).news);
    this.run(at, this.exchanges[at]!.changed(now), now);
  }

  get serials(): (number | undefined)[] {
    return this.stores.map(({ roll }) => roll?.roll.serial);
  }
}

Deno.test("a word goes once over every link, and nobody has anything left to say", () => {
  const row = new Row(4);
  row.say(1, overlap);
  assert.deepEqual(row.serials, [1, 1, 1, 1]);
  row.say(2, finished);
  assert.deepEqual(row.serials, [2, 2, 2, 2]);
  assert.ok(row.delivered <= 2 * 3 * 2, `${row.delivered} messages`);
  for (const exchange of row.exchanges) assert.equal(exchange.nextWake(), Infinity);
});

Deno.test("whoever comes later is told when its link is up, and who has an older word is told the newer", () => {
  const row = new Row(1);
  row.say(0, finished);
  const late = new TrustStore({ network: testNetwork, root: old.anchor });
  assert.ok(late.offer(overlap).news);
  const exchange = new RollExchange(late);
  exchange.linkUp("0", 0);
  const [word] = row.exchanges[0]!.linkUp("1", 0).messages;
  const { news } = exchange.receive("0", word!.bytes, 0);
  assert.deepEqual(news, [{ type: "roll" }]);
  // The other way round: the old word is answered with the new one.
  assert.deepEqual(
    row.exchanges[0]!.receive("1", overlap, 1).messages,
    [{ peer: "1", bytes: finished }],
  );
});

Deno.test("a word that was lost is said again after a minute", () => {
  const store = new TrustStore({ network: testNetwork, root: old.anchor });
  const exchange = new RollExchange(store);
  exchange.linkUp("1", 0);
  store.offer(overlap);
  assert.equal(exchange.changed(5).messages.length, 1);
  assert.equal(exchange.nextWake(), 60_005);
  assert.deepEqual(exchange.tick(60_004).messages, []);
  assert.equal(exchange.tick(60_005).messages.length, 1);
});

Deno.test("a forged word is reported, and a flood of them is not even looked at", () => {
  const stranger = new RollExchange(new TrustStore({ network: testNetwork, root: old.anchor }));
  stranger.linkUp("1", 0);
  let reported = 0;
  const forged = overlap.slice();
  forged[forged.length - 1]! ^= 1;
  for (let i = 0; i < 100; i++) reported += stranger.receive("1", forged, 0).news.length;
  assert.equal(reported, 8);
  assert.deepEqual(stranger.receive("2", overlap, 0), { messages: [], news: [] });
});
