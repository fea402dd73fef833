import type { NodeId } from "../identity/types.ts";
import {
  type Ack,
  bitmapBytes,
  type Detail,
  type Digest,
  messageVersion,
  type Need,
  type Offer,
  offerBytes,
  type RecordItem,
  sectionType,
  type Summary,
  wantBytes,
} from "./message.ts";
import { headBytes, writeUint48 } from "./record.ts";

/** Puts sections into one growing buffer; `finish()` gives the message and starts anew. */
export class MessageWriter {
  #buffer = new Uint8Array(4_096);
  #length = 1;
  #sectionStart = 0;

  constructor() {
    this.#buffer[0] = messageVersion;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  get empty(): boolean {
    return this.#length === 1;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const message = this.#buffer.slice(0, this.#length);
    this.#length = 1;
    return message;
  }

  ack(ack: Ack): void {
    this.#begin(sectionType.ack, 4 + ack.problems.length * 3);
    this.#uint32(ack.batch);
    for (const { index, need } of ack.problems) this.#problem(index, need);
    this.#end();
  }

  #problem(index: number, need: Need): void {
    this.#byte(index >>> 8);
    this.#byte(index);
    this.#byte(need);
  }

  beginRecords(batch: number, prompt: boolean): void {
    this.#begin(sectionType.records, 5);
    this.#uint32(batch);
    this.#byte(prompt ? 1 : 0);
  }

  record(item: RecordItem): void {
    const { content, certificate } = item;
    this.#reserve(headBytes + 6 + (content?.length ?? 0) + (certificate?.length ?? 0));
    this.#bytes(item.head.bytes);
    this.#byte(item.hops);
    this.#byte((content === null ? 0 : 1) | (certificate === null ? 0 : 2));
    if (content !== null) this.#blob(content);
    if (certificate !== null) this.#blob(certificate);
  }

  endRecords(): void {
    this.#end();
  }

  digest(digest: Digest): void {
    this.#begin(sectionType.digest, 5 + digest.hashes.length);
    this.#uint32(digest.salt);
    this.#byte(digest.bits);
    this.#bytes(digest.hashes);
    this.#end();
  }

  summary(summary: Summary): void {
    const size = 5 + bitmapBytes(summary.bits) + summary.offers.length * offerBytes;
    this.#begin(sectionType.summary, size);
    this.#uint32(summary.salt);
    this.#byte(summary.bits);
    this.#bytes(summary.buckets);
    for (const offer of summary.offers) this.#offer(offer);
    this.#end();
  }

  offers(offers: readonly Offer[]): void {
    this.#begin(sectionType.offer, offers.length * offerBytes);
    for (const offer of offers) this.#offer(offer);
    this.#end();
  }

  wants(wants: Iterable<readonly [NodeId, Detail]>, count: number): void {
    this.#begin(sectionType.want, count * wantBytes);
    for (const [id, detail] of wants) {
      this.#bytes(Uint8Array.fromHex(id));
      this.#byte(detail);
    }
    this.#end();
  }

  #offer(offer: Offer): void {
    this.#bytes(Uint8Array.fromHex(offer.id));
    writeUint48(this.#buffer, this.#length, offer.sequence);
    this.#length += 6;
    this.#uint32(offer.mark);
  }

  #begin(type: number, size: number): void {
    this.#reserve(5 + size);
    this.#byte(type);
    this.#length += 4;
    this.#sectionStart = this.#length;
  }

  #end(): void {
    const size = this.#length - this.#sectionStart;
    const at = this.#sectionStart - 4;
    this.#buffer[at] = size >>> 24;
    this.#buffer[at + 1] = size >>> 16;
    this.#buffer[at + 2] = size >>> 8;
    this.#buffer[at + 3] = size;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }

  #byte(value: number): void {
    this.#buffer[this.#length++] = value;
  }

  #uint32(value: number): void {
    this.#byte(value >>> 24);
    this.#byte(value >>> 16);
    this.#byte(value >>> 8);
    this.#byte(value);
  }

  #bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #blob(bytes: Uint8Array): void {
    this.#byte(bytes.length >>> 8);
    this.#byte(bytes.length);
    this.#bytes(bytes);
  }
}
