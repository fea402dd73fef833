import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { formatJson } from "./format_json.ts";
import { formatPretty } from "./format_pretty.ts";
import type { LogRecord } from "./log_record.ts";

const record = (fields: LogRecord["fields"], message = "link up"): LogRecord => ({
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  level: "warn",
  component: "node.links",
  message,
  fields,
});

Deno.test("the JSON form has the four fixed fields first and then the event's own", () => {
  assert.equal(
    formatJson(record({ peer: "ab", rttMs: 1.5, gone: undefined })),
    '{"ts":"2026-01-02T03:04:05.006Z","level":"warn","component":"node.links","msg":"link up","peer":"ab","rttMs":1.5}',
  );
});

Deno.test("an event cannot overwrite a fixed field", () => {
  const line = JSON.parse(formatJson(record({ level: "debug", msg: "forged", ts: 1 })));
  assert.equal(line.level, "warn");
  assert.equal(line.msg, "link up");
  assert.equal(line["field.level"], "debug");
});

Deno.test("a peer's text cannot break a line or move the cursor in either form", () => {
  const evil = "x\n2026 ERROR forged \x1b[2J\u009b\u202e";
  const json = formatJson(record({ name: evil, list: [evil] }, evil));
  // deno-lint-ignore no-control-regex
  const controls = /[\u0000-\u001f\u007f-\u009f\u202e]/;
  assert.doesNotMatch(json, controls);
  assert.equal(JSON.parse(json).name, "x\\n2026 ERROR forged \\x1b[2J\\x9b\\u202e");
  assert.doesNotMatch(formatPretty(record({ [evil]: evil }, evil), { colour: false }), controls);
});

Deno.test("values are cut at a stated length", () => {
  const line = JSON.parse(formatJson(record({ big: "x".repeat(10_000) })));
  assert.equal(line.big.length < 2_100, true);
  assert.match(line.big, /\(7952 more\)$/);
});

Deno.test("the pretty form quotes values with spaces and colours only when told to", () => {
  const plain = formatPretty(record({ reason: "bad signature", n: 3 }), { colour: false });
  assert.match(
    plain,
    /^\d\d:\d\d:\d\d\.006 WARN {2}node\.links link up reason="bad signature" n=3$/,
  );
  const coloured = formatPretty(record({ reason: "bad signature", n: 3 }), { colour: true });
  assert.notEqual(coloured, plain);
  assert.equal(stripVTControlCharacters(coloured), plain);
});
