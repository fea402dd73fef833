import assert from "node:assert/strict";
import { planTests, type TestTree } from "./test_plan.ts";

const files = [
  "tests/lab/a_test.ts",
  "tests/lab/b_test.ts",
  "tests/security/crash_test.ts",
  "tests/security/door_test.ts",
  "tests/system/a_test.ts",
  "tests/system/sleep_waiting_test.ts",
];

const tree: TestTree = {
  root: "/repository",
  exists: (path) => /^\/repository(\/(core|tests).*)?$/.test(path),
  testFiles: (path) =>
    files.map((file) => `/repository/${file}`).filter((file) => file.startsWith(path)),
};
const plan = (...args: string[]) => planTests(args, tree);
const common = ["-A", "--sanitize-ops", "--sanitize-resources", "--permit-no-files"];

Deno.test("without paths everything runs: units in parallel, then tests/, the longest first", () => {
  const { units, systems, check } = plan();
  assert.deepEqual(check.toSorted(), files);
  const system = [...common, "--no-check"];
  assert.deepEqual(units.map(({ args }) => args), [[
    ...common,
    "--parallel",
    "--ignore=tests",
    ".",
  ]]);
  assert.deepEqual(systems, [
    { title: "tests/security/crash_test.ts", args: [...system, "tests/security/crash_test.ts"] },
    { title: "tests/lab", args: [...system, "tests/lab/a_test.ts", "tests/lab/b_test.ts"] },
    { title: "tests/security/door_test.ts", args: [...system, "tests/security/door_test.ts"] },
    { title: "tests/system/a_test.ts", args: [...system, "tests/system/a_test.ts"] },
  ]);
});

Deno.test("what mostly waits has a lane of its own, in whatever folder it is", () => {
  const { systems, waiting, check } = plan("tests");
  const name = "tests/system/sleep_waiting_test.ts";
  assert.deepEqual(waiting, [{ title: name, args: [...common, "--no-check", name] }]);
  assert.ok(systems.every(({ args }) => !args.includes(name)));
  assert.ok(check.includes(name));
  const alone = plan(name);
  assert.deepEqual([alone.systems, alone.waiting.map(({ args }) => args)], [[], [[
    ...common,
    name,
  ]]]);
});

Deno.test("a path limits the run to the part it belongs to", () => {
  const core = plan("core/router");
  assert.deepEqual(core.units.map(({ args }) => args.at(-1)), ["core/router"]);
  assert.deepEqual(core.systems, []);
  const one = plan("tests/system/a_test.ts");
  assert.deepEqual(one.units, []);
  // It checks its types itself.
  assert.deepEqual(one.systems.map(({ args }) => args), [[...common, "tests/system/a_test.ts"]]);
  assert.deepEqual(one.check, []);
  const both = plan("core", "tests/lab");
  assert.deepEqual([both.units.length, both.systems.length], [1, 1]);
});

Deno.test("a file named twice runs once", () => {
  assert.equal(plan("tests/system", "tests/system/a_test.ts").systems.length, 1);
});

Deno.test("flags and their values go to all parts", () => {
  const { units, systems } = plan("--filter", "yamux", "--trace-leaks");
  for (const { args } of [...units, ...systems]) {
    assert.deepEqual(args.filter((arg) => ["--filter", "yamux", "--trace-leaks"].includes(arg)), [
      "--filter",
      "yamux",
      "--trace-leaks",
    ]);
  }
});
