import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
// @ts-types="./dns_packet.d.ts"
import packet from "dns-packet";
import fc from "fast-check";
import { rcode, rrType } from "./constants.ts";
import { readQuery } from "./query.ts";
import { question, wire } from "./wire_testing.ts";

Deno.test("a question is read with its name in lower case and its bytes as they came", () => {
  const query = readQuery(question("Db.PULSE", rrType.A));
  assert.equal(query?.fault, rcode.noError);
  assert.equal(query?.name, "db.pulse");
  assert.equal(query?.type, rrType.A);
  assert.equal(query?.edns, null);
  assert.equal(String.fromCharCode(...query!.question.subarray(1, 3)), "Db");
});

Deno.test("EDNS is read: size, DO, version", () => {
  const read = (opt: Uint8Array) =>
    readQuery(question("db.pulse", rrType.A, { additional: [opt] }));
  const opt = (size: number, version: number, flags: number) =>
    Uint8Array.of(0, 0, 41, size >> 8, size & 255, 0, version, flags, 0, 0, 0);
  assert.deepEqual(read(opt(4096, 0, 0x80))?.edns, { size: 4096, dnssecOk: true });
  assert.deepEqual(read(opt(100, 0, 0))?.edns, { size: 512, dnssecOk: false });
  assert.equal(read(opt(1232, 1, 0))?.fault, rcode.badVers);
  const two = question("db.pulse", rrType.A, { additional: [opt(512, 0, 0), opt(512, 0, 0)] });
  assert.equal(readQuery(two)?.fault, rcode.formErr);
});

Deno.test("a dot inside a label is not the end of one, and no octet is lost", () => {
  const bytes = question("", rrType.A, { name: wire(["a.b", "\x00ü\\", "pulse"]) });
  assert.equal(readQuery(bytes)?.name, "a\\046b.\\000\\252\\092.pulse");
});

Deno.test("what is no question gets the code that says so, or nothing", () => {
  const fault = (change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array) =>
    readQuery(change(question("db.pulse", rrType.A)))?.fault;
  const set = (at: number, value: number) => (bytes: Uint8Array) => {
    bytes[at] = value;
    return bytes;
  };
  assert.equal(readQuery(question("db.pulse", rrType.A).subarray(0, 11)), null);
  assert.equal(fault(set(2, 0x80)), undefined, "a response");
  assert.equal(fault(set(2, 5 << 3)), rcode.notImp, "an update");
  assert.equal(fault(set(5, 0)), rcode.formErr, "no question");
  assert.equal(fault(set(5, 2)), rcode.formErr, "two questions");
  assert.equal(fault(set(7, 1)), rcode.formErr, "an answer");
  assert.equal(fault(set(12, 0xc0)), rcode.formErr, "a pointer");
  assert.equal(fault((bytes) => bytes.subarray(0, -1)), rcode.formErr, "cut off");
  assert.equal(fault((bytes) => Uint8Array.of(...bytes, 0)), rcode.formErr, "a byte too many");
  assert.equal(readQuery(question("db.pulse", rrType.AXFR))?.fault, rcode.refused);
  assert.equal(readQuery(question("db.pulse", rrType.MAILA))?.fault, rcode.notImp);
  assert.equal(readQuery(question("db.pulse", rrType.A, { class: 3 }))?.fault, rcode.refused);
});

Deno.test("any bytes are read without a throw, and a question that is taken reads the same by npm:dns-packet", () => {
  const header = fc.tuple(fc.uint8Array({ minLength: 2, maxLength: 2 }), fc.nat(3)).map(
    ([id, more]) => [...id, 1, 0, 0, 1, 0, 0, 0, 0, 0, more],
  );
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc.tuple(header, fc.uint8Array({ maxLength: 300 })).map(([h, b]) => Uint8Array.of(...h, ...b)),
    fc.tuple(header, fc.array(fc.stringMatching(/^[a-zA-Z0-9_-]{1,63}$/), { maxLength: 5 })).map(
      ([h, labels]) => Uint8Array.of(...h.slice(0, 11), 0, ...wire(labels), 0, 1, 0, 1),
    ),
  );
  let taken = 0;
  fc.assert(
    fc.property(anything, (bytes) => {
      const query = readQuery(bytes);
      if (query === null || query.fault !== rcode.noError || query.name.includes("\\")) return;
      taken++;
      const [other] = packet.decode(Buffer.from(bytes)).questions ?? [];
      assert.equal(query.name, other?.name.toLowerCase().replace(/^\.$/, ""));
    }),
    { numRuns: 3_000 },
  );
  assert.ok(taken > 100);
});
