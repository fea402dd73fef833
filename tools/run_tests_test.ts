import assert from "node:assert/strict";
import { join } from "node:path";

/** Runs the whole-suite runner over one small test file and gives its exit code and last line. */
async function runOver(source: string, args: string[] = [], env: Record<string, string> = {}) {
  const directory = await Deno.makeTempDir({ prefix: "pulse-run-tests-" });
  try {
    const file = join(directory, "sample_test.ts");
    await Deno.writeTextFile(file, source);
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", join(import.meta.dirname!, "run_tests.ts"), file, ...args],
      env: { CI: "", ...env },
    }).output();
    const lastLine = new TextDecoder().decode(output.stdout).trimEnd().split("\n").at(-1);
    return { code: output.code, lastLine };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const good = `Deno.test("good", () => {});`;
const ignored = `Deno.test.${"ignore"}("ignored", () => {});`;

Deno.test("a passing file ends with its count and exit code 0", async () => {
  assert.deepEqual(await runOver(good), { code: 0, lastLine: "1 passed, 0 failed" });
});

Deno.test("a failing test is counted and fails the run", async () => {
  const bad = `${good} Deno.test("bad", () => { throw new Error("no"); });`;
  assert.deepEqual(await runOver(bad), { code: 1, lastLine: "1 passed, 1 failed" });
});

Deno.test("a file that throws while it loads is a failure", async () => {
  assert.deepEqual(await runOver(`throw new Error("load");`), {
    code: 1,
    lastLine: "0 passed, 1 failed",
  });
});

Deno.test("a leaked timer is a failure", async () => {
  const leak = `Deno.test("leaks", () => { setTimeout(() => {}, 5); });`;
  assert.equal((await runOver(leak)).code, 1);
});

Deno.test("a run in which no test ran is a failure", async () => {
  assert.deepEqual(await runOver(good, ["--filter", "nothing-is-called-this"]), {
    code: 1,
    lastLine: "0 passed, 0 failed",
  });
});

Deno.test("a skipped test is counted, and is a failure only in CI", async () => {
  const source = `${good} ${ignored}`;
  const lastLine = "1 passed, 0 failed, 1 skipped";
  assert.deepEqual(await runOver(source), { code: 0, lastLine });
  assert.deepEqual(await runOver(source, [], { CI: "true" }), { code: 1, lastLine });
});
