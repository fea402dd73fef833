import assert from "node:assert/strict";
import { u32 } from "./attributes.ts";
import { DumpCollector } from "./dump_collector.ts";
import { Flag, type NetlinkMessage, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP } from "./message.ts";

const message = (type: number, flags = 0, errno = 0): NetlinkMessage => ({
  type,
  flags,
  sequence: 7,
  body: u32(-errno >>> 0),
});

Deno.test("a dump is done at its end, with its own messages only", () => {
  const dump = new DumpCollector(7, 10);
  const [a, b] = [message(24), message(24)];
  assert.deepEqual(dump.take([a, { ...message(24), sequence: 6 }]), { state: "more" });
  assert.deepEqual(dump.take([message(NLMSG_NOOP), b]), { state: "more" });
  assert.deepEqual(dump.take([message(NLMSG_DONE)]), { state: "done", messages: [a, b] });
});

Deno.test("a table that changed meanwhile is read again, however the kernel tells it", () => {
  const flagged = new DumpCollector(7, 10);
  assert.deepEqual(flagged.take([message(24, Flag.interrupted)]), { state: "more" });
  assert.deepEqual(flagged.take([message(24), message(NLMSG_DONE)]), { state: "again" });
  const atEnd = new DumpCollector(7, 10);
  assert.deepEqual(atEnd.take([message(NLMSG_DONE, Flag.interrupted)]), { state: "again" });
  const numbered = new DumpCollector(7, 10);
  assert.deepEqual(numbered.take([message(NLMSG_DONE, 0, 4)]), { state: "again" });
});

Deno.test("a refusal ends a dump with its number, and so does too long a table", () => {
  for (const type of [NLMSG_ERROR, NLMSG_DONE]) {
    const verdict = { errno: 1, text: "" };
    const said = new DumpCollector(7, 10).take([message(24), message(type, 0, 1)]);
    assert.deepEqual(said, { state: "refused", verdict });
  }
  const dump = new DumpCollector(7, 1);
  assert.deepEqual(dump.take([message(24), message(24)]), { state: "too-long" });
});
