import assert from "node:assert/strict";
import { type CaRollStatus, caRollText } from "./ca_roll.ts";

const status: CaRollStatus = {
  stage: "overlap",
  ca: "b".repeat(64),
  previous: "a".repeat(64),
  at: "2026-01-01T00:00:00.000Z",
  renewed: 3,
  waiting: 2,
  waitingNodes: ["1".repeat(32), "2".repeat(32)],
  away: 30,
  awayNodes: Array.from({ length: 30 }, (_, n) => n.toString(16).padStart(32, "0")),
};

Deno.test("the status of a roll names who is behind, not all of many, and says what to do next", () => {
  const text = caRollText(status);
  assert.match(text, /^a roll of the CA is going on/);
  assert.match(text, /^3 with a certificate/m);
  assert.match(text, new RegExp(`^2 in reach without one\n  1{32}\n  2{32}$`, "m"));
  assert.match(text, /^ {2}and 10 more$/m);
  assert.match(text, /--status" again/);
  assert.match(caRollText({ ...status, waiting: 0, waitingNodes: [] }), /ca roll --finish/);
});

Deno.test("after a roll those without a certificate are said to have to join again", () => {
  const text = caRollText({ ...status, stage: "finished", previous: null });
  assert.match(text, /^32 have to join again, with a new invite$/m);
  const none = caRollText({ ...status, stage: "none", previous: null, at: null, renewed: 1 });
  assert.equal(
    none,
    `the CA was never rolled\nCA ${"b".repeat(64)}\n1 with a certificate of this CA\n`,
  );
});
