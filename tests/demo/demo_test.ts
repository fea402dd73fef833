import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { eventually } from "../lab/wait.ts";

const main = new URL("./main.ts", import.meta.url);
const config = new URL("../../deno.json", import.meta.url);

/** The demo in a process and a temporary directory of its own. */
async function withDemo(
  use: (demo: Deno.ChildProcess, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-demo-test-" });
  try {
    const demo = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `--config=${config.pathname}`, main.href],
      env: { TMPDIR: directory },
      stdout: "piped",
    }).spawn();
    await use(demo, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Processes that have the directory in their command line: nodes of the demo. */
function nodesIn(directory: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory);
    } catch {
      // Ended since it was listed.
      return false;
    }
  });
}

Deno.test("the demo proves what it claims in under a minute and leaves nothing behind", async () => {
  await withDemo(async (demo, directory) => {
    const start = performance.now();
    const { code, stdout } = await demo.output();
    const text = new TextDecoder().decode(stdout);
    assert.equal(code, 0, text);
    assert.match(text, /\n(\d+) of \1 proofs hold/);
    assert.equal(performance.now() - start < 60_000, true, "under a minute");
    assert.deepEqual(nodesIn(directory), []);
    assert.deepEqual(readdirSync(directory), []);
  });
});

Deno.test("an interrupted demo stops its nodes, removes its files and fails", async () => {
  await withDemo(async (demo, directory) => {
    const output = new Response(demo.stdout).text();
    await eventually(() => nodesIn(directory).length >= 4, {
      what: "the nodes run",
      intervalMs: 20,
    });
    demo.kill("SIGINT");
    assert.equal((await demo.status).code, 1);
    assert.match(await output, /FAIL {2}The demo runs to its end/);
    assert.deepEqual(nodesIn(directory), []);
    assert.deepEqual(readdirSync(directory), []);
  });
});
