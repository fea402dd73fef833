import assert from "node:assert/strict";
import fc from "fast-check";
import { EventParser } from "./event_parser.ts";

const stream = ': hello\n\nid: 7\nevent: link_up\ndata: {"a":1}\n\nretry: 5\r\n\r\n' +
  "data: one\r\ndata:two\r\n\r\nevent: empty\n\nid: 8\ndata\n\n";
const expected = [
  { id: "7", type: "link_up", data: '{"a":1}' },
  { id: "7", type: "message", data: "one\ntwo" },
  { id: "8", type: "message", data: "" },
];

Deno.test("events are the same however their text was cut into pieces", () => {
  fc.assert(fc.property(fc.array(fc.nat({ max: stream.length }), { maxLength: 12 }), (cuts) => {
    const parser = new EventParser();
    const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
    const pieces = at.slice(1).map((end, i) => stream.slice(at[i], end));
    assert.deepEqual(pieces.flatMap((piece) => [...parser.push(piece)]), expected);
  }));
});

Deno.test("an event that does not end is refused before it fills the memory", () => {
  for (const piece of ["x".repeat(10_000), `data: ${"x".repeat(10_000)}\n`]) {
    const parser = new EventParser();
    assert.throws(() => {
      for (let i = 0; i < 100; i++) [...parser.push(piece)];
    }, { code: "CONTROL_PROTOCOL" });
  }
});
