import assert from "node:assert/strict";
import fc from "fast-check";
import { bucketMarked, bucketOf, computeDigest, differingBuckets, digestBits } from "./digest.ts";
import { headBytes, readHead, type SignedHead, writeUint48 } from "./record.ts";
import { seededRandom } from "./testing.ts";

function heads(count: number, seed = 1): SignedHead[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const bytes = new Uint8Array(headBytes).map(() => random() * 256);
    return readHead(bytes, 0);
  });
}

function changed(head: SignedHead, change: (bytes: Uint8Array) => void): SignedHead {
  const bytes = head.bytes.slice();
  change(bytes);
  return readHead(bytes, 0);
}

function marked(a: SignedHead[], b: SignedHead[], bits: number, salt = 5): number[] {
  const digest = (heads: SignedHead[]) =>
    computeDigest(heads.map((head) => ({ head })), bits, salt);
  const bitmap = differingBuckets(digest(a), digest(b), bits);
  return Array.from({ length: 2 ** bits }, (_, i) => i).filter((i) => bucketMarked(bitmap, i));
}

Deno.test("buckets hold about eight records, and there are at most 4096 of them", () => {
  assert.deepEqual([0, 1, 8, 9, 1_000, 20_000, 1e6].map(digestBits), [0, 0, 0, 1, 7, 12, 12]);
});

Deno.test("equal tables have equal digests in whatever order they are read", () => {
  const table = heads(200);
  assert.deepEqual(marked(table, table.toReversed(), 5), []);
});

Deno.test("a missing record, another sequence and other content each mark exactly their bucket", () => {
  const table = heads(500);
  fc.assert(fc.property(fc.nat(499), fc.nat(6), (i, bits) => {
    const head = table[i]!;
    const bucket = [bucketOf(head, bits)];
    const others = table.filter((other) => other !== head);
    const next = changed(head, (bytes) => writeUint48(bytes, 16, head.sequence + 1));
    const high = changed(head, (bytes) => bytes[16]! ^= 1);
    const content = changed(head, (bytes) => bytes[22]! ^= 1);
    assert.deepEqual(marked(table, others, bits), bucket);
    for (const variant of [next, high, content]) {
      assert.deepEqual(marked(table, [...others, variant], bits), bucket);
    }
  }));
});

Deno.test("the signature is no part of a digest: it follows from the rest", () => {
  const [head] = heads(1);
  assert.deepEqual(marked([head!], [changed(head!, (bytes) => bytes[60]! ^= 1)], 0), []);
});

Deno.test("another salt gives other hashes", () => {
  const table = heads(10).map((head) => ({ head }));
  assert.notDeepEqual(computeDigest(table, 0, 1), computeDigest(table, 0, 2));
});
