import assert from "node:assert/strict";
import fc from "fast-check";
import { rrType } from "../constants.ts";
import { encodeName } from "../dns_name.ts";
import { type Query, readQuery } from "../query.ts";
import { opt, question } from "../wire_testing.ts";
import { AnswerCache, cacheKey } from "./answer_cache.ts";
import { giveAnswer, judge, storeAnswer, upstreamQuestion } from "./upstream_message.ts";

const queryOf = (bytes: Uint8Array): Query => readQuery(bytes)!;
const sent = (name = "example.com") =>
  upstreamQuestion(queryOf(question(name, rrType.A)), new Uint8Array(35).fill(0x55));

/** An answer to what was sent: records are owner, type, TTL and data. */
function answer(
  bytes: Uint8Array,
  sections: readonly (readonly [number, number, readonly number[]])[][],
  code = 0,
): Uint8Array<ArrayBuffer> {
  const [answers = [], authority = []] = sections;
  const records = [...answers, ...authority].flatMap(([type, ttl, data]) => [
    ...[0xc0, 12, type >> 8, type & 255, 0, 1],
    ...[ttl >>> 24, ttl >> 16 & 255, ttl >> 8 & 255, ttl & 255, 0, data.length],
    ...data,
  ]);
  const head = bytes.slice(0, bytes.length - 11);
  head.set([0x81, 0x80 | code, 0, 1, 0, answers.length, 0, authority.length, 0, 1], 2);
  return Uint8Array.of(...head, ...records, ...opt(4096));
}

const soa = (minimum: number) => [
  ...[0, 0, ...Array(16).fill(0)],
  ...[minimum >>> 24, minimum >> 16 & 255, minimum >> 8 & 255, minimum & 255],
];

Deno.test("an upstream is asked with an id and letter cases of our own", () => {
  const { bytes, question: section } = sent("ab-cd.example");
  const query = queryOf(bytes);
  assert.equal(query.id, 0x5555);
  assert.equal(query.name, "ab-cd.example");
  assert.deepEqual(query.edns, { size: 1232, dnssecOk: false });
  const text = String.fromCharCode(...section);
  assert.ok(/[a-z]/.test(text) && /[A-Z]/.test(text));
});

Deno.test("only an answer to this very question is one", () => {
  const mine = sent();
  const good = answer(mine.bytes, [[[1, 60, [1, 2, 3, 4]]]]);
  assert.equal(judge(mine, good), "answer");
  const change = (at: number, value: number) => {
    const bytes = good.slice();
    bytes[at] = value;
    return judge(mine, bytes);
  };
  assert.equal(change(0, good[0]! ^ 1), "stranger", "another id");
  assert.equal(change(2, 0x01), "stranger", "a question");
  assert.equal(change(5, 0), "stranger", "without its question");
  assert.equal(change(14, "z".charCodeAt(0)), "stranger", "another name");
  assert.equal(change(12 + 13 + 1, 28), "stranger", "another type");
  assert.equal(change(13, good[13]! ^ 0x20), "ask-tcp", "another case");
  assert.equal(change(2, 0x83), "ask-tcp", "cut off");
  assert.equal(judge(mine, good.subarray(0, 20)), "stranger");
});

Deno.test("any bytes from an upstream are judged and stored without a throw", () => {
  const mine = sent();
  const head = answer(mine.bytes, [[]]).subarray(0, 12 + mine.question.length);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(255), fc.nat(255), (tail, a, b) => {
      const bytes = Uint8Array.of(...head, ...tail);
      bytes[7] = a;
      bytes[11] = b;
      judge(mine, bytes);
      judge(mine, tail);
      const stored = storeAnswer(bytes, mine.question.length);
      if (stored === null) return;
      const given = giveAnswer(queryOf(question("example.com", rrType.A)), stored, 1, 65_535);
      assert.ok(given.length <= 65_535);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("an answer is given out with the client's id, cases and EDNS, and with what is left of its time", () => {
  const mine = sent();
  const stored = storeAnswer(
    answer(mine.bytes, [[[1, 60, [1, 2, 3, 4]], [1, 30, [5, 6, 7, 8]]]]),
    mine.question.length,
  )!;
  assert.equal(stored.lifetime, 30);
  const asked = question("example.com", rrType.A, { id: 7 });
  asked.set(encodeName("ExAmple.com"), 12);
  const given = giveAnswer(queryOf(asked), stored, 20.5, 512);
  assert.deepEqual([...given.subarray(0, 12)], [0, 7, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]);
  assert.deepEqual(given.subarray(12, asked.length), asked.subarray(12));
  assert.deepEqual([...given.subarray(asked.length + 6, asked.length + 10)], [0, 0, 0, 39]);
  const withEdns = question("example.com", rrType.A, { additional: [opt(1232)] });
  const longer = giveAnswer(queryOf(withEdns), stored, 0, 1232);
  assert.equal(longer.length, given.length + 11);
  assert.equal(longer[11], 1);
  const cut = giveAnswer(queryOf(asked), stored, 0, 40);
  assert.equal(cut.length, asked.length);
  assert.equal(cut[2]! & 2, 2);
});

Deno.test("what does not exist is remembered for as long as its SOA says, failures are not", () => {
  const mine = sent();
  const lifetime = (...args: [Parameters<typeof answer>[1], number]) =>
    storeAnswer(answer(mine.bytes, ...args), mine.question.length)?.lifetime;
  assert.equal(lifetime([[], [[6, 300, soa(120)]]], 3), 120);
  assert.equal(lifetime([[], [[6, 50, soa(120)]]], 0), 50);
  assert.equal(lifetime([[], [[6, 86_400, soa(86_400)]]], 3), 900);
  assert.equal(lifetime([[], []], 3), 0);
  assert.equal(lifetime([[[1, 60, [1, 2, 3, 4]]], []], 2), 0);
  assert.equal(lifetime([[[1, 0xffffffff, [1, 2, 3, 4]]], []], 0), 0);
});

Deno.test("the cache forgets in time, and what was unused for longest when it is full", () => {
  const mine = sent();
  const stored = storeAnswer(
    answer(mine.bytes, [[[1, 60, [1, 2, 3, 4]]]]),
    mine.question.length,
  )!;
  const cache = new AnswerCache({ maxEntries: 2, maxBytes: 10_000 });
  cache.store("a", stored, 0);
  cache.store("b", stored, 0);
  assert.equal(cache.find("a", 59_999)?.age, 59.999);
  cache.store("c", stored, 1_000);
  assert.equal(cache.find("b", 1_000), null);
  assert.equal(cache.find("a", 60_000), null);
  assert.equal(cache.size, 1);
  const small = new AnswerCache({ maxEntries: 100, maxBytes: stored.message.length * 2 });
  for (const key of ["a", "b", "c", "d"]) small.store(key, stored, 0);
  assert.equal(small.size, 2);
  const key = (bytes: Uint8Array) => cacheKey(queryOf(bytes));
  assert.equal(key(question("EXAMPLE.com", 1)), key(question("example.COM", 1)));
  assert.notEqual(key(question("example.com", 1)), key(question("example.com", 28)));
});
