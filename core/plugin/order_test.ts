import assert from "node:assert/strict";
import { PluginError } from "./errors.ts";
import { loadOrder, type OrderOptions } from "./order.ts";
import type { PluginManifest } from "./types.ts";

function plugin(needs: string[] = [], provides: string[] = []): PluginManifest {
  return { module: "./m.ts", permissions: {}, needs, provides };
}

function failure(
  manifests: Record<string, PluginManifest>,
  options?: OrderOptions,
): { code: string; message: string } {
  try {
    loadOrder(manifests, options);
  } catch (error) {
    assert.ok(error instanceof PluginError);
    return error;
  }
  throw new Error("nothing was refused");
}

Deno.test("a provider is loaded before those who need it, otherwise the order stays", () => {
  const manifests = {
    metrics: plugin(),
    dns: plugin(["names", "zones"]),
    ca: plugin(),
    scribe: plugin(["ledger"], ["names"]),
    zones: plugin([], ["zones"]),
    ledger: plugin([], ["ledger"]),
  };
  assert.deepEqual(loadOrder(manifests), ["metrics", "ledger", "scribe", "zones", "dns", "ca"]);
});

Deno.test("a need that core meets orders nothing", () => {
  assert.deepEqual(loadOrder({ dns: plugin(["names"]) }, { coreServices: ["names"] }), ["dns"]);
});

Deno.test("an unmet need names the plugin, the service and who would provide it", () => {
  const { code, message } = failure({ dns: plugin(["names"]) }, {
    available: { scribe: plugin([], ["names"]), other: plugin() },
  });
  assert.equal(code, "PLUGIN_NEED_UNMET");
  assert.equal(
    message,
    "plugin dns needs the service names, which nobody provides; enable scribe or remove dns",
  );
  assert.equal(
    failure({ dns: plugin(["names"]) }).message,
    "plugin dns needs the service names, which nobody provides; install a plugin that provides it or remove dns",
  );
});

Deno.test("a circle is named in full", () => {
  const { code, message } = failure({
    x: plugin(["b"]),
    a: plugin(["b"], ["a"]),
    b: plugin(["a"], ["b"]),
  });
  assert.equal(code, "PLUGIN_CYCLE");
  assert.match(message, /b needs a needs b/);
  assert.equal(failure({ s: plugin(["s"], ["s"]) }).code, "PLUGIN_CYCLE");
});

Deno.test("two providers of one service are refused", () => {
  const two = failure({ a: plugin([], ["names"]), b: plugin([], ["names"]) });
  assert.equal(two.code, "PLUGIN_CONFLICT");
  assert.match(two.message, /plugin a and plugin b both provide the service names/);
  assert.match(
    failure({ a: plugin([], ["names"]) }, { coreServices: ["names"] }).message,
    /pulse itself and plugin a/,
  );
});
