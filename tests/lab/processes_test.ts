import assert from "node:assert/strict";
import { allEnded, descendants, isRunning, kill9 } from "./processes.ts";
import { eventually } from "./wait.ts";

Deno.test("a process, its child and its grandchild are found, killed and seen to be gone", async () => {
  const args = ["-c", "sh -c 'sleep 600 & wait' & wait"];
  const child = new Deno.Command("sh", { args, stdout: "null", stderr: "null" }).spawn();
  const family = await eventually(() => {
    const found = descendants(child.pid);
    return found.length === 2 && found;
  }, { what: "sh has two descendants" });
  assert.ok([child.pid, ...family].every(isRunning));
  for (const pid of [child.pid, ...family]) kill9(pid);
  await allEnded([child.pid, ...family]);
  await child.status;
  kill9(child.pid);
  assert.equal(isRunning(child.pid), false);
  assert.deepEqual(descendants(child.pid), []);
});
