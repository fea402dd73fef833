import assert from "node:assert/strict";
import { defaultSimOptions, type SimOptions } from "./options.ts";
import { formatResult, worst } from "./report.ts";
import { Scenario, type SimResult } from "./scenario.ts";

function run(options: Partial<SimOptions>): { result: SimResult; text: string } {
  const all = { ...defaultSimOptions, minutes: 1, ...options };
  const result = new Scenario(all).run();
  return { result, text: formatResult(all, result) };
}

Deno.test("500 nodes: a change is known everywhere within 5 s, deltas cost a tenth of full pushes at most, no invariant is broken", () => {
  const { result, text } = run({ nodes: 500, changes: 2, restarts: 1, partitionSeconds: 0 });
  assert.deepEqual(result.findings.broken, [], text);
  assert.ok(result.convergence !== null && result.convergence < 15, text);
  assert.ok(result.steady.ratio <= 0.1, text);
  const slowest = worst(result.changes);
  assert.ok(slowest !== null && slowest < 5, text);
  const reborn = worst(result.restarts);
  assert.ok(reborn !== null && reborn < 10, text);
  assert.ok(result.forgeries > 150 && result.findings.paths > 500, text);
});

Deno.test("100 nodes: a partition heals within seconds, and no route is stale on either side of it", () => {
  const { result, text } = run({ nodes: 100, changes: 1, restarts: 1, partitionSeconds: 60 });
  assert.deepEqual(result.findings.broken, [], text);
  const agreement = result.partition?.agreement ?? null;
  assert.ok(agreement !== null && agreement < 10, text);
});

Deno.test("the same seed gives the same output, byte for byte; another one does not", () => {
  const options = { nodes: 40, changes: 2, restarts: 1, partitionSeconds: 30 };
  const { text } = run(options);
  assert.equal(run(options).text, text);
  assert.notEqual(run({ ...options, seed: "2" }).text, text);
});

Deno.test("the task prints the same in two processes, and nothing but the result on stdout", async () => {
  const task = async () => {
    const main = new URL("main.ts", import.meta.url).pathname;
    const args = "-- --nodes 20 --minutes 1 --changes 1 --restarts 0 --partition 0".split(" ");
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", main, ...args],
    }).output();
    assert.equal(success, true, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stderr), /wall time/);
    return new TextDecoder().decode(stdout);
  };
  const text = await task();
  assert.match(text, /^mesh /);
  assert.ok(text.endsWith("none broken\n"), text);
  assert.equal(await task(), text);
});
