import assert from "node:assert/strict";
import { StreamResetError } from "../sessions/errors.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import type { PluginHostOptions } from "./host.ts";
import { incoming, startTestHost, type TestHost } from "./testing.ts";
import type { Json, PluginManifest } from "./types.ts";

const crash: PluginManifest = {
  module: "./compliance/crashing_testing.ts",
  permissions: {},
  provides: ["crash"],
};

const quick = { firstDelayMs: 1, maxDelayMs: 1 };

function start(config: Json = null, options: Partial<PluginHostOptions> = {}): Promise<TestHost> {
  return startTestHost({ crash }, { configs: { crash: config }, restart: quick, ...options });
}

for (
  const [how, expected] of [
    ["throw", /thrown from a timer/],
    ["reject", /nobody catches this/],
    ["garbage", /malformed message/],
  ] as const
) {
  Deno.test(`a plugin that ends by "${how}" is reported and started again, its streams reset`, async () => {
    await using test = await start();
    const { host, services } = test;
    const [near, far] = memoryStreamPair();
    await host.handleStream("crash.hold", far, incoming("crash.hold"));
    await services.seen(2);
    await host.call("crash", "now", how).catch(() => {/* the answer may or may not get out */});
    await assert.rejects(near.read(), StreamResetError);
    assert.match(String((await test.logged("plugin failed")).fields.error), expected);
    await test.logged("plugin is up", 2);
    assert.equal(await host.call("crash", "now", "fine"), "fine");
    assert.deepEqual(services.types(), ["start", "held", "start"]);
    const metrics = await host.metrics();
    assert.equal(metrics.find(({ name }) => name === "pulse_plugin_restarts_total")?.value, 1);
  });
}

for (const how of ["loop", "close", "exit"]) {
  Deno.test(`a plugin gone silent by "${how}" is ended and started again`, async () => {
    await using test = await start(null, {
      hookTimeoutMs: 2_500,
      limits: { heartbeatMs: 100, callTimeoutMs: 60_000 },
    });
    const call = test.host.call("crash", "now", how).catch((error: { code: string }) => error.code);
    const { fields } = await test.logged("plugin failed");
    assert.equal(fields.code, "PLUGIN_DEADLINE");
    assert.match(String(fields.error), /no sign of life/);
    assert.ok([null, "PLUGIN_DOWN"].includes(await call as string | null));
    await test.logged("plugin is up", 2);
    assert.equal(await test.host.call("crash", "now", "fine"), "fine");
  });
}

Deno.test("a plugin that never starts is tried so many times, then left alone, and the host lives on", async () => {
  for (const failIn of ["factory", "onStart"]) {
    await using test = await start({ failIn }, { restart: { ...quick, maxRestarts: 3 } });
    await test.logged("plugin failed too often and stays down");
    assert.equal(test.lines.filter(({ message }) => message === "plugin failed").length, 3);
    const [status] = test.host.status();
    assert.equal(status?.state, "failed");
    assert.match(status.detail, /fails \(gave up after 3 restarts\)/);
    await assert.rejects(test.host.call("crash", "now", "fine"), { code: "PLUGIN_DOWN" });
    assert.deepEqual(test.host.protocols(), []);
    const [health] = await test.host.health();
    assert.equal(health?.ok, false);
  }
});

Deno.test("a plugin that says it can never start is believed: one line, and no second try", async () => {
  await using test = await start({ failIn: "onStart for good" });
  assert.deepEqual(
    test.lines.filter(({ level }) => level === "error").map(({ message, fields }) => [
      message,
      fields.code,
      fields.error,
    ]),
    [["plugin cannot run here and stays down", "NO_DEVICE", "there is no device"]],
  );
  const [status] = test.host.status();
  assert.deepEqual([status?.state, status?.detail], ["failed", "there is no device"]);
  await assert.rejects(test.host.call("crash", "now", "fine"), { code: "PLUGIN_DOWN" });
});

Deno.test("a module that does not exist or has no factory is a failed plugin, not a failed daemon", async () => {
  for (const module of ["./compliance/missing.ts", "./errors.ts"]) {
    await using test = await startTestHost({ p: { module, permissions: {} } }, {
      restart: { maxRestarts: 0 },
    });
    assert.equal(test.host.status()[0]?.state, "failed", module);
  }
});

Deno.test("a service not in the manifest, or missing behind it, keeps a plugin from starting", async () => {
  for (const provides of [[], ["crash", "more"]]) {
    await using test = await startTestHost({ crash: { ...crash, provides } }, {
      restart: { maxRestarts: 0 },
    });
    assert.match(test.host.status()[0]!.detail, /"provides"|says that it provides more/);
  }
});

Deno.test("two plugins that serve the same protocol do not both run", async () => {
  await using test = await startTestHost({
    first: { ...crash, provides: ["crash"] },
    second: { module: "./compliance/second_testing.ts", permissions: {} },
  }, { restart: { maxRestarts: 0 } });
  assert.deepEqual(test.host.status().map(({ state }) => state), ["running", "failed"]);
  assert.match(test.host.status()[1]!.detail, /plugin second and plugin first both serve/);
});

Deno.test("a plugin that does not stop in time is ended anyway, and stops before those it needs", async () => {
  await using test = await startTestHost({
    user: { module: "./compliance/second_testing.ts", permissions: {}, needs: ["crash"] },
    crash,
  }, {
    configs: { crash: { stuck: true }, user: { protocol: "second" } },
    hookTimeoutMs: 3_000,
  });
  await test.host[Symbol.asyncDispose]();
  assert.deepEqual(test.services.types(), ["start", "second stops", "stop"]);
  const { fields } = await test.logged("plugin did not stop in good order");
  assert.equal(fields.code, "PLUGIN_DEADLINE");
  assert.deepEqual(test.host.status().map(({ state }) => state), ["stopped", "stopped"]);
});

Deno.test("a flood of log lines is cut and counted", async () => {
  await using test = await start();
  await test.host.call("crash", "now", "flood");
  assert.ok(test.lines.length < 700, `${test.lines.length} lines`);
});

Deno.test("wrong arguments to core are refused, wrong answers from a plugin are not believed", async () => {
  await using test = await start();
  const { host } = test;
  assert.equal(await host.call("crash", "now", "badRequest"), "PLUGIN_PROTOCOL");
  assert.equal(await host.call("crash", "now", "badStream"), "PLUGIN_PROTOCOL");
  await host.call("crash", "now", "unprintable");
  await test.logged("cannot be cloned");
  assert.ok((await host.metrics()).every(({ name }) => name.startsWith("pulse_")));
  const [health] = await host.health();
  assert.match(health!.detail, /answered health wrongly: ok/);
  const request = { params: {}, query: {}, body: null };
  await assert.rejects(host.apiRoutes()[0]!.handle(request), { code: "PLUGIN_PROTOCOL" });
});

Deno.test("a changed configuration restarts a plugin that cannot take it over", async () => {
  await using test = await start({ a: 1 });
  await test.host.configChanged({ crash: { a: 1 } });
  assert.deepEqual(test.services.types(), ["start"]);
  await test.host.configChanged({ crash: { a: 2 } });
  assert.deepEqual(test.services.types(), ["start", "stop", "start"]);
  assert.equal(test.host.status()[0]?.state, "running");
});

Deno.test("mistakes of the operator stop the start before any plugin runs", async () => {
  await assert.rejects(startTestHost({ crash: { ...crash, needs: ["nothing"] } }), {
    code: "PLUGIN_NEED_UNMET",
  });
  await assert.rejects(
    startTestHost({ crash: { ...crash, permissions: { net: ["$CONFIG.x"] } } }, {
      configs: { crash: { x: 5 } },
    }),
    { code: "PLUGIN_MANIFEST" },
  );
});

Deno.test("a plugin's directory is never a symlink", async () => {
  const elsewhere = await Deno.makeTempDir();
  try {
    await using test = await startTestHost({}, {});
    await Deno.symlink(elsewhere, `${test.dataDir}/crash`);
    await using second = await startTestHost({
      crash: { ...crash, permissions: { read: ["$DATA"] } },
    }, {
      dataDir: test.dataDir,
      restart: { maxRestarts: 0 },
    });
    assert.match(second.host.status()[0]!.detail, /must be a directory of its own/);
  } finally {
    await Deno.remove(elsewhere);
  }
});
