import assert from "node:assert/strict";
import type { TestCa } from "../identity/testing.ts";
import { newCa, testNetwork, writeRoll } from "./testing.ts";
import { TrustStore } from "./trust_store.ts";

const [old, next, third, stranger] = [await newCa(), await newCa(), await newCa(), await newCa()];

function store(root: TestCa, ...words: Uint8Array[]): TrustStore {
  const made = new TrustStore({ network: testNetwork, root: root.anchor });
  for (const word of words) assert.deepEqual(made.offer(word), { news: true, error: undefined });
  return made;
}

const refused = (made: TrustStore, word: Uint8Array) => {
  const before = made.trust;
  const { news, error } = made.offer(word);
  assert.equal(news, false);
  assert.equal(made.trust, before);
  return error?.code;
};
const names = ({ trust }: TrustStore) => ({
  anchors: trust.anchors.map(({ fingerprint }) => nameOf(fingerprint)),
  retired: trust.retired.map(({ fingerprint }) => nameOf(fingerprint)),
});
const nameOf = (fingerprint: string) =>
  Object.entries({ old, next, third, stranger })
    .find(([, { anchor }]) => anchor.fingerprint === fingerprint)?.[0];

const overlap = writeRoll(old, next, 1);
const finished = writeRoll(old, next, 2, "finished");

Deno.test("during the overlap both CAs count, afterwards the new one alone", () => {
  const made = store(old);
  assert.deepEqual(names(made), { anchors: ["old"], retired: [] });
  assert.equal(made.newest, old.anchor);
  assert.ok(made.offer(overlap).news);
  assert.deepEqual(names(made), { anchors: ["next", "old"], retired: [] });
  assert.equal(made.newest.fingerprint, next.anchor.fingerprint);
  assert.deepEqual(made.offer(overlap), { news: false, error: undefined });
  assert.ok(made.offer(finished).news);
  assert.deepEqual(names(made), { anchors: ["next"], retired: ["old"] });
});

Deno.test("who believes either CA believes their word: who missed the overlap, and who joined after it", () => {
  for (const root of [old, next]) {
    assert.deepEqual(names(store(root, finished)), { anchors: ["next"], retired: ["old"] });
  }
  assert.equal(refused(store(stranger), overlap), "TRUST_FOREIGN");
});

Deno.test("a word older than the one that is known is refused, and so is another one of the same serial", () => {
  const made = store(old, overlap, finished);
  assert.equal(refused(made, overlap), "TRUST_OLD");
  assert.equal(refused(made, writeRoll(old, third, 2, "finished")), "TRUST_FORKED");
});

Deno.test("the old CA's key alone can neither sign a roll, nor lead elsewhere once its successor is known", () => {
  for (const options of [{ toKey: old }, { fromKey: stranger }, { toKey: stranger }]) {
    assert.equal(
      refused(store(old), writeRoll(old, next, 1, "overlap", options)),
      "TRUST_SIGNATURE",
    );
  }
  for (const stage of ["overlap", "finished"] as const) {
    const elsewhere = writeRoll(old, stranger, 9, stage);
    assert.equal(refused(store(old, overlap), elsewhere), "TRUST_FOREIGN");
    assert.equal(refused(store(old, overlap, finished), elsewhere), "TRUST_FOREIGN");
  }
  // Back to the old one.
  assert.equal(refused(store(old, overlap, finished), writeRoll(old, next, 9)), "TRUST_FOREIGN");
});

Deno.test("the next roll follows from the new CA, also for a node that missed how the first ended", () => {
  const second = writeRoll(next, third, 3);
  for (const words of [[overlap], [overlap, finished], [finished]]) {
    assert.deepEqual(names(store(old, ...words, second)).anchors, ["third", "next"]);
  }
  const both = store(old, overlap, writeRoll(next, third, 4, "finished"));
  assert.deepEqual(names(both), { anchors: ["third"], retired: ["next"] });
});

Deno.test("another network's roll and damaged bytes are refused", () => {
  const other = writeRoll(old, next, 1, "overlap", { network: "home" });
  assert.equal(refused(store(old), other), "TRUST_NETWORK");
  assert.equal(refused(store(old), new Uint8Array(0)), "TRUST_MALFORMED");
  assert.equal(refused(store(old), new Uint8Array(5_000)), "TRUST_MALFORMED");
  assert.equal(refused(store(old), writeRoll(old, old, 1)), "TRUST_MALFORMED");
  for (let at = 0; at < overlap.length; at++) {
    const damaged = overlap.slice();
    damaged[at]! ^= 1;
    assert.match(String(refused(store(old), damaged)), /^TRUST_(MALFORMED|SIGNATURE)$/, `${at}`);
    if (at % 16 === 0) {
      assert.equal(refused(store(old), overlap.subarray(0, at)), "TRUST_MALFORMED");
    }
  }
});
