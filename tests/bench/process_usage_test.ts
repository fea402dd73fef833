import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { JsonChild } from "./json_child.ts";
import { cpuPerGb, treeUsage } from "./process_usage.ts";

Deno.test("memory and time of a process and its child are those of both", async () => {
  const library = new URL("./json_child.ts", import.meta.url).href;
  const source =
    `import { answerCommands } from "${library}"; await answerCommands(async () => ({}));`;
  await using child = new JsonChild(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  await child.call({});
  const childsOwn = treeUsage(child.pid).residentMb;
  const both = treeUsage(Deno.pid);
  assert.equal(childsOwn > 10, true);
  assert.equal(both.residentMb > childsOwn + 0.5 * Deno.memoryUsage().rss / 1e6, true);
  assert.equal(both.cpuSeconds > 0 && both.cpuSeconds < 3600, true);
});

Deno.test("what has ended uses nothing, and saying so is an error", () => {
  assert.throws(() => treeUsage(2 ** 22 + 1));
});

Deno.test("processor time is what was spent during the work, shared out over its bytes", async () => {
  const burn = () => {
    const end = cpuUsage().user + 100_000;
    while (cpuUsage().user < end);
    return Promise.resolve();
  };
  const perGb = await cpuPerGb([Deno.pid], 5e8, burn);
  assert.equal(perGb >= 0.16, true, `${perGb}`);
});
