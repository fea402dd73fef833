import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { FecDecoder } from "../fec/decoder.ts";
import { FecEncoder } from "../fec/encoder.ts";
import { gapPatience, overtakenSegments, repairPatience } from "../loop/limits.ts";
import { ladder, probeTimes } from "../loop/path_probe.ts";
import { ciphers } from "../keys/key_message.ts";
import { counterOf } from "./segment.ts";
import { VectorPair } from "./vectors_testing.ts";

const page = readFileSync(new URL("../../../docs/tun-wire-format.md", import.meta.url), "utf8");

const hex = z.string().regex(/^([0-9a-f]{2})+$/).transform((text) => Uint8Array.fromHex(text));
const sealed = { cipher: z.enum(ciphers), key: hex, receiver: z.int(), label: z.int() };
const vectors = z.array(z.discriminatedUnion("what", [
  z.strictObject({ what: z.literal("probe"), ...sealed, segment: hex }),
  z.strictObject({ what: z.literal("packet"), ...sealed, packet: hex, segments: z.array(hex) }),
  z.strictObject({
    what: z.literal("superPacket"),
    ...sealed,
    headers: hex,
    payloadBytes: z.int(),
    heads: z.array(hex),
    lengths: z.array(z.int()),
    sha256: z.array(hex),
  }),
  z.strictObject({
    what: z.literal("parity"),
    way: z.int(),
    receiver: z.int(),
    first: z.int(),
    segments: z.array(hex),
    parity: z.array(hex),
  }),
])).parse(JSON.parse(/```json\n([^]*?)```/.exec(page)?.[1] ?? ""));

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const text = (all: readonly Uint8Array[]) => all.map((bytes) => bytes.toHex());

Deno.test("segments are those of the document, and are opened to the packets there", () => {
  let checked = 0;
  for (const vector of vectors) {
    if (vector.what === "parity") continue;
    const { cipher, key, receiver, label } = vector;
    const pair = new VectorPair({ epoch: 1, receiver, cipher, key }, label);
    if (vector.what === "probe") {
      assert.equal(pair.datagrams[0]?.toHex(), vector.segment.toHex());
    } else {
      let { packet } = vector as { packet?: Uint8Array };
      if (vector.what === "superPacket") {
        const { headers, payloadBytes } = vector;
        packet = new Uint8Array(headers.length + payloadBytes);
        packet.set(headers);
        for (let i = 0; i < payloadBytes; i++) packet[headers.length + i] = i;
      }
      const sent = pair.send(packet!);
      if (vector.what === "packet") assert.deepEqual(text(sent), text(vector.segments));
      else {
        assert.deepEqual(text(sent.map((bytes) => bytes.subarray(0, 20))), text(vector.heads));
        assert.deepEqual(sent.map(({ length }) => length), vector.lengths);
        assert.deepEqual(sent.map(digest), text(vector.sha256));
      }
      // Whoever gets a key's own name opens it, also behind a relay.
      for (const bytes of sent) new DataView(bytes.buffer).setUint32(4, receiver);
      assert.deepEqual(text(pair.receive(sent)), [packet!.toHex()]);
    }
    checked++;
  }
  assert.equal(checked, 4);
});

/** In GF(2^8) with the polynomial 0x11d, bit by bit. */
function times(a: number, b: number): number {
  let product = 0;
  for (; b > 0; b >>= 1, a = a << 1 ^ (a & 128 ? 0x11d : 0)) if (b & 1) product ^= a;
  return product & 0xff;
}

function divided(a: number, b: number): number {
  return Array.from({ length: 256 }, (_, q) => q).find((q) => times(q, b) === a)!;
}

Deno.test("parity is that of the document and of its formula, and repairs what it covers", () => {
  const vector = vectors.find(({ what }) => what === "parity");
  assert.ok(vector?.what === "parity");
  const { way, receiver, first, segments, parity } = vector;
  const encoder = new FecEncoder(100, way, Infinity);
  encoder.scheme = { group: segments.length, rows: parity.length, depth: 1 };
  for (const [i, bytes] of segments.entries()) encoder.add(bytes, 0, bytes.length, first + i);
  const out = new Uint8Array(200);
  const covered = segments.map((bytes) => {
    const body = [...bytes.subarray(8, 12), ...bytes.subarray(20)];
    return [bytes.length >> 8, bytes.length & 255, ...body];
  });
  for (const [row, expected] of parity.entries()) {
    const length = encoder.take(row, receiver, out, 0);
    assert.equal(out.subarray(0, length).toHex(), expected.toHex());
    const sum = Array.from(
      { length: length - 20 },
      (_, at) =>
        covered.reduce(
          (total, bytes, i) => total ^ times(divided(128 ^ i, (128 + row) ^ i), bytes[at] ?? 0),
          0,
        ),
    );
    assert.deepEqual([...expected.subarray(20)], sum, `row ${row}`);
  }
  for (const lost of segments) {
    const decoder = new FecDecoder(100);
    const here = segments.filter((one) => one !== lost);
    for (const bytes of here) {
      decoder.add(bytes, 0, bytes.length, counterOf(new DataView(bytes.buffer), 0));
    }
    const found: string[] = [];
    decoder.addParity(parity[1]!, 0, parity[1]!.length, (bytes, length) => {
      found.push(bytes.subarray(0, length).toHex());
    });
    assert.deepEqual(found, [lost.toHex()]);
  }
});

Deno.test("sizes and times in the document are the code's", () => {
  const plain = page.replaceAll(/\s+/g, " ");
  assert.ok(plain.includes(`(${ladder.join(", ")})`));
  assert.ok(plain.includes(`every ${probeTimes.used} ms`));
  assert.ok(plain.includes(`an idle one every ${probeTimes.idle / 1_000} s`));
  assert.ok(plain.includes(`nothing of its packet for ${gapPatience} ms (${repairPatience} with`));
  assert.ok(plain.includes(`until ${overtakenSegments} segments of the same way`));
  assert.ok(plain.includes(`tried every ${probeTimes.raise / 1_000} s`));
});
