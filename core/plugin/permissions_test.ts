import assert from "node:assert/strict";
import { startTestHost } from "./testing.ts";
import type { PluginManifest } from "./types.ts";

const hostile: PluginManifest = {
  module: "./compliance/hostile_testing.ts",
  permissions: { read: ["$DATA"], write: ["$DATA"] },
  provides: ["hostile"],
};

Deno.test("a plugin in a Worker can do what its manifest says and nothing else", async () => {
  await using test = await startTestHost({ hostile });
  const results = await test.host.call("hostile", "tryAll", null);
  assert.ok(typeof results === "object" && results !== null);
  const entries = Object.entries(results);
  assert.ok(entries.length > 25);
  const leaks = entries.filter(([, result]) =>
    !/NotCapable|Requires|escalate/.test(String(result))
  );
  assert.deepEqual(leaks, []);
  assert.equal(await test.host.call("hostile", "own", null), "mine");
  await assert.rejects(Deno.stat("/tmp/pulse-hostile-plugin"), Deno.errors.NotFound);
});

Deno.test("a plugin without any permission can still be loaded and gets no directory", async () => {
  await using test = await startTestHost({ hostile: { ...hostile, permissions: {} } });
  const results = await test.host.call("hostile", "tryAll", null);
  const leaks = Object.entries(results as Record<string, string>)
    .filter(([, result]) => !/NotCapable|Requires|escalate/.test(result));
  assert.deepEqual(leaks, []);
  await assert.rejects(test.host.call("hostile", "own", null), (error: { fields: object }) => {
    assert.deepEqual(error.fields, { thrown: "NotCapable" });
    return true;
  });
  await assert.rejects(Deno.stat(`${test.dataDir}/hostile`), Deno.errors.NotFound);
});

Deno.test("a plugin that asks for more than the process has fails with a message that says so", async () => {
  const root = new URL("../../", import.meta.url).pathname;
  const entry = new URL("./compliance/escalation_testing.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `--allow-read=${root}`, "--deny-run", entry],
  }).output();
  const [status] = JSON.parse(new TextDecoder().decode(stdout) || "[]");
  assert.equal(status?.state, "failed", new TextDecoder().decode(stderr));
  assert.match(status.detail, /plugin p asks for a permission this process does not have itself/);
});
