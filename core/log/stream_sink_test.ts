import assert from "node:assert/strict";
import type { LogRecord } from "./log_record.ts";
import { StreamSink } from "./stream_sink.ts";

const record: LogRecord = { time: 0, level: "info", component: "", message: "up", fields: {} };

Deno.test("a line is written whole through a writer that takes little at a time", () => {
  let text = "";
  const writer = {
    writeSync(bytes: Uint8Array) {
      text += new TextDecoder().decode(bytes.subarray(0, 3));
      return Math.min(3, bytes.length);
    },
  };
  new StreamSink(writer, { format: "json", colour: false }).write(record);
  assert.equal(JSON.parse(text).msg, "up");
  assert.equal(text.endsWith("}\n"), true);
});

Deno.test("a reader that went away does not stop the writer of the log", () => {
  let calls = 0;
  const writer = {
    writeSync(): number {
      calls++;
      throw new Deno.errors.BrokenPipe("gone");
    },
  };
  const sink = new StreamSink(writer, { format: "pretty", colour: false });
  sink.write(record);
  sink.write(record);
  assert.equal(calls, 1);
});
