import { bitmapBytes, digestHashBytes, maxDigestBits } from "./message.ts";
import { readUint32, type SignedHead } from "./record.ts";

/** Records per bucket aimed at: a difference then costs a list of about this many to find. */
const perBucket = 8;

/** Two to the power of this many buckets suit a table of `count` records. */
export function digestBits(count: number): number {
  const buckets = Math.max(1, Math.ceil(count / perBucket));
  return Math.min(maxDigestBits, Math.ceil(Math.log2(buckets)));
}

/** Ids are hashes, so their first bits spread evenly. */
export function bucketOf(head: SignedHead, bits: number): number {
  return bits === 0 ? 0 : readUint32(head.bytes, 0) >>> (32 - bits);
}

/**
 * For each bucket the XOR of one 32-bit hash per record over (salt, id, sequence, content hash). The salt is new for each
 * digest: nobody can prepare records whose hashes cancel out, and a difference missed by chance (one in 2^32) is found
 * the next time. What a forged digest can do is cause or spare a repair.
 */
export function computeDigest(
  records: Iterable<{ readonly head: SignedHead }>,
  bits: number,
  salt: number,
): Uint8Array<ArrayBuffer> {
  const words = new Int32Array(2 ** bits);
  for (const { head } of records) {
    const { bytes } = head;
    let a = mix(salt ^ readUint32(bytes, 0));
    a = mix(a ^ readUint32(bytes, 4));
    a = mix(a ^ readUint32(bytes, 8));
    a = mix(a ^ readUint32(bytes, 12));
    // The low 32 bits of the sequence, then its high 16 with the first 16 of the content hash, then 32 more of that.
    a = mix(a ^ readUint32(bytes, 18));
    a = mix(a ^ ((bytes[16]! << 24) | (bytes[17]! << 16) | (bytes[22]! << 8) | bytes[23]!));
    words[bucketOf(head, bits)]! ^= mix(a ^ readUint32(bytes, 24));
  }
  const hashes = new Uint8Array(words.length * digestHashBytes);
  const view = new DataView(hashes.buffer);
  for (let i = 0; i < words.length; i++) view.setInt32(i * digestHashBytes, words[i]!);
  return hashes;
}

/** Bitmap of the buckets whose hashes differ, most significant bit first. Both inputs have 4 * 2^bits bytes. */
export function differingBuckets(
  a: Uint8Array,
  b: Uint8Array,
  bits: number,
): Uint8Array<ArrayBuffer> {
  const bitmap = new Uint8Array(bitmapBytes(bits));
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) bitmap[i >>> 5]! |= 0x80 >>> ((i >>> 2) & 7);
  }
  return bitmap;
}

export function bucketMarked(bitmap: Uint8Array, bucket: number): boolean {
  return (bitmap[bucket >>> 3]! & (0x80 >>> (bucket & 7))) !== 0;
}

/** The finaliser of MurmurHash3: every input bit changes every output bit with probability one half. */
function mix(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
