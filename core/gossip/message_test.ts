import assert from "node:assert/strict";
import fc from "fast-check";
import { GossipError } from "./errors.ts";
import { maxCertificateBytes, maxContentBytes, maxMessageBytes } from "./limits.ts";
import {
  type Ack,
  bitmapBytes,
  decodeMessage,
  type Digest,
  maxDigestBits,
  maxSections,
  Need,
  type Offer,
  type Summary,
  type Want,
} from "./message.ts";
import { MessageWriter } from "./message_writer.ts";
import { headBytes, readHead } from "./record.ts";

const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => bytes.toHex());
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const head = fc.uint8Array({ minLength: headBytes, maxLength: headBytes })
  .map((bytes) => readHead(bytes, 0));
const record = fc.record({
  head,
  hops: fc.nat(255),
  content: fc.option(fc.uint8Array({ maxLength: 40 })),
  certificate: fc.option(fc.uint8Array({ maxLength: 40 })),
});
const ack: fc.Arbitrary<Ack> = fc.record({
  batch: uint32,
  problems: fc.array(
    fc.record({ index: fc.nat(65_535), need: fc.constantFrom(...Object.values(Need)) }),
    { maxLength: 5 },
  ),
});
const bits = fc.nat(5);
const digest: fc.Arbitrary<Digest> = bits.chain((bits) =>
  fc.record({
    salt: uint32,
    bits: fc.constant(bits),
    hashes: fc.uint8Array({ minLength: 4 * 2 ** bits, maxLength: 4 * 2 ** bits }),
  })
);
const offer: fc.Arbitrary<Offer> = fc.record({
  id,
  sequence: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  mark: uint32,
});
const summary: fc.Arbitrary<Summary> = bits.chain((bits) =>
  fc.record({
    salt: uint32,
    bits: fc.constant(bits),
    buckets: fc.uint8Array({ minLength: bitmapBytes(bits), maxLength: bitmapBytes(bits) }),
    offers: fc.array(offer, { maxLength: 4 }),
  })
);
const want: fc.Arbitrary<Want> = fc.record({ id, detail: fc.constantFrom(1, 2, 3) });

/** Views of a message and arrays of their own are the same to a reader. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, v) => v instanceof Uint8Array ? v.toHex() : v));
}

function malformed(bytes: Uint8Array): void {
  assert.throws(
    () => decodeMessage(bytes),
    (error) => error instanceof GossipError && error.code === "GOSSIP_MESSAGE_MALFORMED",
  );
}

function sample(): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter();
  writer.ack({ batch: 9, problems: [{ index: 3, need: Need.content }] });
  writer.beginRecords(10, true);
  const bytes = new Uint8Array(headBytes).fill(5);
  writer.record({
    head: readHead(bytes, 0),
    hops: 2,
    content: Uint8Array.of(1, 2),
    certificate: Uint8Array.of(3),
  });
  writer.endRecords();
  const offers = [{ id: "11".repeat(16), sequence: 4, mark: 5 }];
  writer.summary({ salt: 1, bits: 0, buckets: Uint8Array.of(0x80), offers });
  writer.offers(offers);
  writer.wants([["22".repeat(16), 3]], 1);
  writer.digest({ salt: 1, bits: 1, hashes: new Uint8Array(8) });
  return writer.finish();
}

Deno.test("every section comes back as it was written, in order", () => {
  fc.assert(
    fc.property(
      ack,
      fc.array(record, { maxLength: 4 }),
      digest,
      summary,
      fc.array(offer, { maxLength: 4 }),
      fc.array(want, { maxLength: 4 }),
      uint32,
      fc.boolean(),
      (ack, items, digest, summary, offers, wants, number, prompt) => {
        const writer = new MessageWriter();
        writer.ack(ack);
        writer.beginRecords(number, prompt);
        for (const item of items) writer.record(item);
        writer.endRecords();
        writer.digest(digest);
        writer.summary(summary);
        writer.offers(offers);
        writer.wants(wants.map(({ id, detail }) => [id, detail]), wants.length);
        assert.deepEqual(
          plain(decodeMessage(writer.finish())),
          plain([
            { type: "ack", ack },
            { type: "records", batch: { number, prompt, items } },
            { type: "digest", digest },
            { type: "summary", summary },
            { type: "offer", offers },
            { type: "want", wants },
          ]),
        );
        assert.equal(writer.empty, true);
      },
    ),
  );
});

Deno.test("a message cut off anywhere but between sections is refused whole", () => {
  const bytes = sample();
  const boundaries = new Set([1]);
  for (let at = 1; at < bytes.length;) {
    at += 5 + new DataView(bytes.buffer).getUint32(at + 1);
    boundaries.add(at);
  }
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    if (boundaries.has(length)) decodeMessage(cut);
    else malformed(cut);
  }
});

Deno.test("a section a newer version adds is passed over", () => {
  const known = sample();
  const unknown = Uint8Array.of(200, 0, 0, 0, 3, 1, 2, 3);
  const bytes = new Uint8Array([1, ...unknown, ...known.subarray(1), ...unknown]);
  assert.deepEqual(plain(decodeMessage(bytes)), plain(decodeMessage(known)));
});

Deno.test("messages over any limit are refused before anything is allocated for them", () => {
  malformed(new Uint8Array(maxMessageBytes + 1).fill(1));
  malformed(Uint8Array.of(2));
  malformed(new Uint8Array());
  malformed(Uint8Array.of(1, 2, 0xff, 0xff, 0xff, 0xff));
  const sections = new Uint8Array(1 + 5 * (maxSections + 1));
  sections[0] = 1;
  for (let i = 0; i <= maxSections; i++) sections[1 + 5 * i] = 200;
  malformed(sections);
  // A digest with more buckets than allowed, and one whose length does not fit its buckets.
  malformed(Uint8Array.of(1, 3, 0, 0, 0, 5, 0, 0, 0, 0, maxDigestBits + 1));
  malformed(Uint8Array.of(1, 3, 0, 0, 0, 5, 0, 0, 0, 0, 4));
  for (const [flag, max] of [[1, maxContentBytes], [2, maxCertificateBytes]] as const) {
    const size = 5 + headBytes + 4 + max + 1;
    const bytes = new Uint8Array(6 + size);
    const view = new DataView(bytes.buffer);
    bytes[0] = 1;
    bytes[1] = 2;
    view.setUint32(2, size);
    bytes[6 + 5 + headBytes + 1] = flag;
    view.setUint16(6 + 5 + headBytes + 2, max + 1);
    malformed(bytes);
  }
});

Deno.test("whatever bytes come in, the parser refuses them with its own error or reads only what is there", () => {
  const valid = sample();
  const mutated = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  }).map((changes) => {
    const copy = valid.slice();
    for (const [at, value] of changes) copy[at] = value;
    return copy;
  });
  const framed = fc.tuple(fc.nat(7), fc.uint8Array({ maxLength: 300 })).map(([type, payload]) => {
    const bytes = new Uint8Array(6 + payload.length);
    bytes[0] = 1;
    bytes[1] = type;
    new DataView(bytes.buffer).setUint32(2, payload.length);
    bytes.set(payload, 6);
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated, framed), (bytes) => {
      try {
        for (const section of decodeMessage(bytes)) {
          if (section.type !== "records") continue;
          for (const item of section.batch.items) {
            assert.equal(item.head.bytes.length, headBytes);
            assert.ok((item.content?.length ?? 0) <= maxContentBytes);
            assert.ok((item.certificate?.length ?? 0) <= maxCertificateBytes);
          }
        }
      } catch (error) {
        if (!(error instanceof GossipError)) throw error;
      }
    }),
    { numRuns: 5_000 },
  );
});
