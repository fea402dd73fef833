import assert from "node:assert/strict";
import { labTest, requires, testDefinition } from "./requires.ts";

const nothing = () => Promise.resolve();

Deno.test("what is there is not missing", () => {
  assert.deepEqual(requires({}), { ignore: false, reason: "" });
  assert.deepEqual(requires({ commands: ["sh"] }), { ignore: false, reason: "" });
});

Deno.test("everything missing is named", () => {
  assert.deepEqual(requires({ commands: ["sh", "no-such-one", "nor-this"] }), {
    ignore: true,
    reason: "needs the command no-such-one and the command nor-this",
  });
});

Deno.test("a test with a missing need is skipped here and fails in CI", async () => {
  const verdict = { ignore: true, reason: "needs the command no-such-one" };
  assert.equal(testDefinition("(harness example)", verdict, false, nothing).ignore, true);
  const inCi = testDefinition("x", verdict, true, nothing);
  assert.equal(inCi.ignore, undefined);
  await assert.rejects(async () => await inCi.fn({} as Deno.TestContext), /no-such-one/);
});

labTest("a test whose needs are met runs", { commands: ["sh"] }, nothing);
