import assert from "node:assert/strict";
import { planTests } from "./test_plan.ts";

const root = "/repository";
const exists = (path: string) => /^\/repository(\/(core|tests).*)?$/.test(path);
const plan = (...args: string[]) => planTests(args, root, exists).map((phase) => phase.args);
const common = ["-A", "--sanitize-ops", "--sanitize-resources", "--permit-no-files"];

Deno.test("without paths everything runs: units in parallel, then tests/ one after the other", () => {
  assert.deepEqual(plan(), [
    [...common, "--parallel", "--ignore=tests", "."],
    [...common, "tests"],
  ]);
});

Deno.test("a path limits the run to the phase it belongs to", () => {
  assert.deepEqual(plan("core/router"), [[
    ...common,
    "--parallel",
    "--ignore=tests",
    "core/router",
  ]]);
  assert.deepEqual(plan("tests/system/a_test.ts"), [[...common, "tests/system/a_test.ts"]]);
  assert.equal(plan("core", "tests/interop").length, 2);
});

Deno.test("flags and their values go to both phases", () => {
  for (const args of plan("--filter", "yamux", "--trace-leaks")) {
    assert.deepEqual(args.filter((arg) => ["--filter", "yamux", "--trace-leaks"].includes(arg)), [
      "--filter",
      "yamux",
      "--trace-leaks",
    ]);
  }
});
