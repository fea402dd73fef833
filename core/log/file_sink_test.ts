import assert from "node:assert/strict";
import { join } from "node:path";
import { FileSink } from "./file_sink.ts";
import type { LogRecord } from "./log_record.ts";

const record = (message: string): LogRecord => ({
  time: 0,
  level: "info",
  component: "",
  message,
  fields: {},
});

const lines = (path: string) =>
  Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line).msg);

Deno.test("lines are appended to a file only its owner can read, across restarts", () => {
  const dir = Deno.makeTempDirSync();
  try {
    const path = join(dir, "pulse.log");
    Deno.writeTextFileSync(path, "", { mode: 0o644 });
    for (const message of ["one", "two"]) {
      using sink = new FileSink({ path });
      sink.write(record(message));
    }
    assert.deepEqual(lines(path), ["one", "two"]);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});

Deno.test("a full file becomes .1 and only one old file is kept", () => {
  const dir = Deno.makeTempDirSync();
  try {
    const path = join(dir, "pulse.log");
    using sink = new FileSink({ path, rotateBytes: 200 });
    for (let i = 0; i < 8; i++) sink.write(record(`line ${i}`));
    assert.deepEqual([...Deno.readDirSync(dir)].map((entry) => entry.name).sort(), [
      "pulse.log",
      "pulse.log.1",
    ]);
    assert.deepEqual([...lines(`${path}.1`), ...lines(path)], [
      "line 4",
      "line 5",
      "line 6",
      "line 7",
    ]);
    assert.equal(Deno.statSync(path).size <= 200, true);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});

Deno.test("a log that cannot be written is reported once and never stops its caller", () => {
  const failures: string[] = [];
  using sink = new FileSink({ path: "/dev/full", onFailure: (text) => failures.push(text) });
  sink.write(record("lost"));
  sink.write(record("lost too"));
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? "", /log lines are being lost: \/dev\/full/);
});

Deno.test("a log file that cannot be opened is a typed error that names it", () => {
  assert.throws(
    () => new FileSink({ path: "/nonexistent/pulse.log" }),
    { code: "LOG_FILE", message: /\/nonexistent\/pulse\.log/ },
  );
});
