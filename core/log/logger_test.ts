import assert from "node:assert/strict";
import type { LogFn } from "../plugin/types.ts";
import { createLogger } from "./logger.ts";
import type { LogRecord } from "./log_record.ts";

const clock = { now: () => 0, wall: () => 1_700_000_000_000 };

Deno.test("records below the level are not written and the level can be changed for all relatives", () => {
  const records: LogRecord[] = [];
  const log = createLogger({
    level: "warn",
    clock,
    sinks: [{ write: (record) => records.push(record) }],
  });
  const child = log.child("gossip");
  child("info", "quiet");
  child("warn", "heard");
  log.setLevel("debug");
  child("debug", "heard too");
  assert.deepEqual(records.map((record) => record.message), ["heard", "heard too"]);
});

Deno.test("a child names itself under its parent and is a plain LogFn to others", () => {
  const records: LogRecord[] = [];
  const log = createLogger({
    level: "debug",
    clock,
    sinks: [{ write: (record) => records.push(record) }],
  });
  const fn: LogFn = log.child("node").child("gossip");
  fn("info", "round", { peers: 3 });
  assert.deepEqual(records, [{
    time: 1_700_000_000_000,
    level: "info",
    component: "node.gossip",
    message: "round",
    fields: { peers: 3 },
  }]);
});
