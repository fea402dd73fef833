import assert from "node:assert/strict";
import fc from "fast-check";
import { DerError, DerReader } from "./der_reader.ts";
import { derSequence, derTag, derText, derTime, derUnsigned, derValue } from "./der_writer.ts";

Deno.test("what the writer writes, the reader reads", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (content) => {
    const reader = new DerReader(derValue(derTag.octetString, content));
    assert.deepEqual(reader.expect(derTag.octetString, "it").content, content);
    reader.end("it");
  }));
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (magnitude) => {
    const read = new DerReader(derUnsigned(magnitude)).unsigned("it").toHex();
    assert.equal(BigInt("0x" + read), BigInt("0x" + magnitude.toHex()));
  }));
  const latest = Date.UTC(9999, 11, 31, 23, 59, 59);
  fc.assert(fc.property(fc.integer({ min: -631_152_000, max: latest / 1000 }), (seconds) => {
    assert.equal(new DerReader(derTime(seconds * 1000)).time("it"), seconds * 1000);
  }));
});

Deno.test("times switch from two to four digits in 2050", () => {
  assert.equal(derTime(Date.UTC(2049, 11, 31))[0], derTag.utcTime);
  assert.equal(derTime(Date.UTC(2050, 0, 1))[0], derTag.generalizedTime);
});

Deno.test("everything that is BER but not DER is refused", () => {
  const cases: [string, (reader: DerReader) => unknown][] = [
    ["3080", (r) => r.next("it")], // indefinite length
    ["308100", (r) => r.next("it")], // not minimal
    ["30820001ff", (r) => r.next("it")],
    ["308300000100", (r) => r.next("it")],
    ["1f8101", (r) => r.next("it")], // long tag
    ["3001", (r) => r.next("it")], // truncated
    ["30", (r) => r.next("it")],
    ["3082", (r) => r.next("it")],
    ["", (r) => r.next("it")],
    ["02020001", (r) => r.unsigned("it")],
    ["020180", (r) => r.unsigned("it")],
    ["0200", (r) => r.unsigned("it")],
    ["010101", (r) => r.boolean("it")],
    ["01020000", (r) => r.boolean("it")],
    ["0600", (r) => r.oid("it")],
    ["030101", (r) => r.bits(0, "it")],
    ["0403010203", (r) => r.bits(2, "it")],
  ];
  for (const [hex, read] of cases) {
    assert.throws(() => read(new DerReader(Uint8Array.fromHex(hex))), DerError, hex);
  }
  assert.throws(() => {
    const reader = new DerReader(Uint8Array.fromHex("300000"));
    reader.next("it");
    reader.end("it");
  }, DerError);
});

Deno.test("dates that do not exist and other ways to write a date are refused", () => {
  const bad = ["261301000000Z", "260230000000Z", "260101240000Z", "260101006000Z", "260101000000"];
  for (const text of [...bad, "260101000000+0000", "2601010000Z", "260101000000.5Z"]) {
    assert.throws(() => new DerReader(derText(derTag.utcTime, text)).time("it"), DerError, text);
  }
  assert.throws(() => new DerReader(derSequence()).time("it"), DerError);
});
