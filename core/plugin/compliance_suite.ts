import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { PulseError } from "../errors/mod.ts";
import { StreamResetError } from "../sessions/errors.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import type { PluginHostOptions } from "./host.ts";
import { incoming, readAll, startTestHost, testCertificate, type TestHost } from "./testing.ts";
import type { Json, PluginManifest } from "./types.ts";

const manifest: PluginManifest = {
  module: "./compliance/plugin_testing.ts",
  permissions: { read: ["$DATA"], write: ["$DATA"] },
  needs: ["core.things", "other"],
  provides: ["test"],
};

const other: PluginManifest = {
  module: "./compliance/other_testing.ts",
  permissions: {},
  provides: ["other"],
};

/** Registers one `Deno.test` for every rule of the plugin interface, for one way of running plugins. */
export function pluginComplianceSuite(mode: "worker" | "inline"): void {
  const rule = (
    name: string,
    run: (test: TestHost) => Promise<void>,
    options: Partial<PluginHostOptions> = {},
  ) =>
    Deno.test(`${mode}: ${name}`, async () => {
      await using test = await startTestHost({ test: manifest, other }, {
        mode,
        configs: { test: { color: "red" } },
        coreServices: ["core.things"],
        // Far more than anything here takes, however slow the machine.
        hookTimeoutMs: 60_000,
        ...options,
      });
      assert.deepEqual(test.host.status().map(({ state }) => state), ["running", "running"]);
      await run(test);
    });

  const call = ({ host }: TestHost, method: string, argument: Json = null) =>
    host.call("test", method, argument);

  rule("hooks run in order and are told what happened", async (test) => {
    const { host, services } = test;
    host.linkUp({ id: "a".repeat(32), kind: "quic" });
    host.linkDown({ id: "a".repeat(32), reason: "gone" });
    await host.configChanged({ test: { color: "blue" } });
    host.networkConfigChanged({ epoch: 1, version: 2, hash: "ab" });
    await services.seen(5);
    await host[Symbol.asyncDispose]();
    assert.deepEqual(
      services.events.map(({ type, fields }) => [type, fields.value, fields.plugin]),
      [
        ["start", { color: "red" }, "test"],
        ["linkUp", { id: "a".repeat(32), kind: "quic" }, "test"],
        ["linkDown", { id: "a".repeat(32), reason: "gone" }, "test"],
        ["config", { color: "blue" }, "test"],
        ["networkConfig", { epoch: 1, version: 2, hash: "ab" }, "test"],
        ["stop", true, "test"],
        ["other stopped", undefined, "other"],
      ],
    );
    assert.deepEqual(host.status().map(({ state }) => state), ["stopped", "stopped"]);
  });

  rule("log lines carry the plugin's name and its own directory exists", async (test) => {
    const { fields } = await test.logged("hello");
    assert.equal(fields.plugin, "test");
    const dir = `${test.dataDir}/test`;
    assert.equal(fields.dataDir, dir);
    assert.equal((await Deno.stat(dir)).mode! & 0o777, 0o700);
    await assert.rejects(Deno.stat(`${test.dataDir}/other`), Deno.errors.NotFound);
  });

  rule("plain data goes through a service unchanged", async (test) => {
    const value = { a: [1, "two", null, { b: true }], c: "ü" };
    assert.deepEqual(await call(test, "echo", value), value);
    assert.equal(await call(test, "nothing"), null);
  });

  rule("an error keeps its code, message, fields and cause", async (test) => {
    await assert.rejects(call(test, "refuse"), (error) => {
      assert.ok(error instanceof PulseError);
      assert.equal(error.code, "TEST_REFUSED");
      assert.equal(error.message, "not today");
      assert.deepEqual(error.fields, { day: 3, who: ["a", "b"] });
      assert.ok(error.cause instanceof Error);
      assert.equal(error.cause.message, "deep");
      return true;
    });
  });

  rule("an error that is none of ours becomes PLUGIN_FAILED with its text", async (test) => {
    await assert.rejects(call(test, "fail"), (error) => {
      assert.ok(error instanceof PulseError);
      assert.deepEqual(
        [error.code, error.message, error.fields.thrown],
        ["PLUGIN_FAILED", "plain failure", "TypeError"],
      );
      return true;
    });
    await assert.rejects(call(test, "throwNow"), { code: "PLUGIN_FAILED" });
  });

  rule(
    "unknown services, unknown methods and answers that are no data are errors",
    async (test) => {
      await assert.rejects(call(test, "missing"), { code: "PLUGIN_METHOD_UNKNOWN" });
      await assert.rejects(call(test, "constructor"), { code: "PLUGIN_METHOD_UNKNOWN" });
      await assert.rejects(call(test, "notData"), { code: "PLUGIN_PROTOCOL" });
      await assert.rejects(test.host.call("nobody", "x", null), { code: "PLUGIN_SERVICE_UNKNOWN" });
    },
  );

  rule("a plugin asks core, and core's refusals reach it as they are", async (test) => {
    assert.deepEqual(await call(test, "facts"), {
      self: "corp",
      peers: [testCertificate.id],
      known: testCertificate.id,
    });
    await assert.rejects(call(test, "resolve", "nobody"), (error) => {
      assert.ok(error instanceof PulseError);
      assert.equal(error.code, "NODE_UNKNOWN");
      assert.deepEqual(error.fields, { text: "nobody" });
      return true;
    });
  });

  rule(
    "a plugin calls the services it declared, of core and of other plugins, and no other",
    async (test) => {
      assert.deepEqual(await call(test, "callOther", ["core.things", "list", 5]), {
        core: ["core.things", "list", 5],
      });
      assert.equal(await call(test, "callOther", ["other", "double", 21]), 42);
      await assert.rejects(call(test, "callOther", ["test", "echo", 1]), {
        code: "PLUGIN_SERVICE_UNDECLARED",
      });
    },
  );

  rule("a plugin opens streams and learns who is at the other end", async (test) => {
    const request = { node: "known", protocol: "tcp", target: "localhost:80", port: 80 };
    const asking = call(test, "ask", request);
    await test.services.seen(2);
    const { far, request: asked } = test.services.opened[0]!;
    assert.deepEqual(asked, request);
    assert.equal(new TextDecoder().decode(await readAll(far)), "question");
    await far.write(new TextEncoder().encode("answer"));
    await far.closeWrite();
    assert.deepEqual(await asking, [
      "answer",
      true,
      testCertificate.id,
      testCertificate.der.length,
      [testCertificate.id],
    ]);
    await assert.rejects(call(test, "ask", { ...request, node: "refused" }), (error) => {
      assert.ok(error instanceof PulseError);
      assert.deepEqual([error.code, error.fields], ["STREAM_REFUSED", { hop: "h1" }]);
      return true;
    });
  });

  rule("aborting an openStream reaches core and frees the plugin at once", async (test) => {
    assert.equal(await call(test, "abort"), "TEST_ABORT");
    const opened = test.services.opened[0];
    // In a Worker the request may have been taken back before core ever saw it.
    if (opened === undefined) return;
    const { signal } = opened;
    assert.ok(signal !== undefined);
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    }
  });

  rule("a stream carries megabytes both ways and half-closes", async (test) => {
    const [near, far] = memoryStreamPair();
    assert.equal(await test.host.handleStream("test.echo", far, incoming("test.echo")), true);
    const sent = createHash("sha256");
    const writing = (async () => {
      for (let i = 0; i < 60; i++) {
        const chunk = crypto.getRandomValues(new Uint8Array(1 + (i * 7919) % 65_536));
        sent.update(chunk);
        await near.write(chunk);
      }
      await near.closeWrite();
    })();
    const received = createHash("sha256").update(await readAll(near)).digest("hex");
    await writing;
    assert.equal(received, sent.digest("hex"));
    await near.closed;
  });

  rule("a protocol nobody serves leaves the stream with its owner", async (test) => {
    const [near, far] = memoryStreamPair();
    assert.equal(await test.host.handleStream("nobody", far, incoming("nobody")), false);
    const writing = near.write(new Uint8Array([1]));
    assert.deepEqual(await far.read(), new Uint8Array([1]));
    far.reset();
    await writing.catch(() => {/* whether it still counts as written is the stream's affair */});
    assert.deepEqual(test.host.protocols(), [
      "test.echo",
      "test.throw",
      "test.reset",
      "test.hold",
      "test.feel",
    ]);
  });

  rule("a handler that throws or resets costs its stream only", async (test) => {
    const [near, far] = memoryStreamPair();
    await test.host.handleStream("test.throw", far, incoming("test.throw"));
    await assert.rejects(near.read(), StreamResetError);
    const line = await test.logged("stream handler failed");
    assert.equal(line.fields.error, "handler failed");
    const [near2, far2] = memoryStreamPair();
    await test.host.handleStream("test.reset", far2, incoming("test.reset"));
    const writing = near2.write(new Uint8Array([1])).catch(() => {/* reset while it waits */});
    await assert.rejects(near2.read(), (error) => {
      assert.ok(error instanceof StreamResetError);
      assert.equal(error.resetCode, 42);
      return true;
    });
    await writing;
    assert.equal(await call(test, "echo", 1), 1);
  });

  rule("a reset by the peer reaches the handler as a StreamResetError", async (test) => {
    const [near, far] = memoryStreamPair();
    await test.host.handleStream("test.feel", far, incoming("test.feel"));
    near.reset(7);
    await test.services.seen(2);
    const { type, fields } = test.services.events[1]!;
    assert.deepEqual([type, fields.value], ["felt", {
      code: "SESSION_STREAM_RESET",
      resetCode: 7,
    }]);
  });

  rule("a handler learns where its stream comes from, and stopping resets it", async (test) => {
    const [near, far] = memoryStreamPair();
    await test.host.handleStream("test.hold", far, incoming("test.hold"));
    await test.services.seen(2);
    const { id } = testCertificate;
    assert.deepEqual(test.services.events[1]?.fields.value, [id, "test.hold", 0, [id]]);
    await test.host[Symbol.asyncDispose]();
    await assert.rejects(near.read(), StreamResetError);
    await assert.rejects(call(test, "echo"), { code: "PLUGIN_DOWN" });
  });

  rule("a join is a conversation", async ({ host, services }) => {
    const inbox = [[1, 2, 3], [4]].map((bytes) => new Uint8Array(bytes));
    const outbox: Uint8Array[] = [];
    const taken = await host.join({
      remoteAddress: "192.0.2.1:5",
      receive: () => Promise.resolve(inbox.shift() ?? null),
      send: (message) => {
        outbox.push(message.slice());
        return Promise.resolve();
      },
    });
    assert.equal(taken, true);
    assert.equal(new TextDecoder().decode(outbox.shift()), "192.0.2.1:5");
    assert.deepEqual(outbox, [new Uint8Array([3, 2, 1]), new Uint8Array([4])]);
    assert.deepEqual(services.types(), ["start", "joined"]);
  });

  rule("names are resolved, and a plugin that fails is passed over", async (test) => {
    assert.equal(await test.host.resolveName("printer"), "0123456789abcdef0123456789abcdef");
    assert.equal(await test.host.resolveName("other-name"), undefined);
    assert.equal(await test.host.resolveName("boom"), undefined);
    assert.equal((await test.logged("plugin failed a call")).fields.error, "boom");
  });

  rule("API routes answer and refuse", async ({ host }) => {
    const [get, post] = host.apiRoutes();
    assert.deepEqual([get?.method, get?.path, get?.summary], ["GET", "/echo/:id", "Says it again"]);
    assert.deepEqual([get?.access, post?.access], ["read", "admin"]);
    const request = {
      params: { id: "5" },
      query: { q: "x" },
      body: { deep: [1] },
      ifMatch: "1.7",
      by: "local",
    };
    assert.deepEqual(await get?.handle(request), { status: 200, body: request, etag: "1.7" });
    await assert.rejects(get!.handle({ ...request, ifMatch: 'a"\r\nx: y' }), {
      code: "PLUGIN_PROTOCOL",
    });
    await assert.rejects(post!.handle(request), { code: "TEST_REFUSED", message: "not today" });
  });

  rule("metrics and health come from every plugin", async ({ host }) => {
    const metrics = await host.metrics();
    assert.deepEqual(metrics.find(({ name }) => name === "test_things"), {
      name: "test_things",
      help: "Things",
      type: "gauge",
      value: 3,
      labels: { a: "b" },
    });
    const up = metrics.filter(({ name }) => name === "pulse_plugin_up");
    assert.deepEqual(up.map(({ value, labels }) => [value, labels?.plugin]), [
      [1, "other"],
      [1, "test"],
    ]);
    assert.deepEqual(await host.health(), [
      { plugin: "other", ok: true, detail: "running" },
      { plugin: "test", ok: true, detail: "fine" },
    ]);
  });

  rule(
    "a call that is never answered ends with its deadline and costs nothing else",
    async (test) => {
      await assert.rejects(call(test, "never"), { code: "PLUGIN_DEADLINE" });
      assert.equal(await call(test, "echo", "still here"), "still here");
      assert.deepEqual(test.services.types(), ["start"]);
    },
    { limits: { callTimeoutMs: 300 } },
  );
}
