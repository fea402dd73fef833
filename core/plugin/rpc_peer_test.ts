import assert from "node:assert/strict";
import { PulseError } from "../errors/mod.ts";
import { PluginError } from "./errors.ts";
import { type RpcHandlers, RpcPeer, WithPorts } from "./rpc_peer.ts";

type Handle = RpcHandlers["handle"];

/** Two peers joined by a real structured clone. `left` calls, `right` serves. */
function pair(
  handle: Handle,
  maxInFlight = 4,
): { left: RpcPeer; right: RpcPeer; notes: unknown[] } {
  const notes: unknown[] = [];
  const make = (other: () => RpcPeer, serve: Handle): RpcPeer =>
    new RpcPeer({
      send: (message, ports) => {
        const copy = structuredClone(message, { transfer: ports });
        queueMicrotask(() => other().receive(copy));
      },
      handle: serve,
      notified: (method, args) => void notes.push([method, ...args]),
      maxInFlight,
      label: "plugin p",
    });
  const left: RpcPeer = make(() => right, () => Promise.reject(new Error("unused")));
  const right: RpcPeer = make(() => left, handle);
  return { left, right, notes };
}

Deno.test("calls in flight at once each get their own answer", async () => {
  const { left } = pair(async (method, args) => {
    if (args[0] === 1) await Promise.resolve();
    return [method, ...args];
  });
  assert.deepEqual(await Promise.all([left.call("a", [1]), left.call("b", [2])]), [["a", 1], [
    "b",
    2,
  ]]);
});

Deno.test("a deadline ends the call, tells the other side, and a late answer is ignored", async () => {
  const answer = Promise.withResolvers<string>();
  const aborted = Promise.withResolvers<unknown>();
  const { left } = pair((_method, _args, _ports, signal) => {
    signal.addEventListener("abort", () => aborted.resolve(signal.reason));
    return answer.promise;
  });
  await assert.rejects(left.call("slow", [], { timeoutMs: 5 }), (error) => {
    assert.ok(error instanceof PluginError);
    assert.equal(error.code, "PLUGIN_DEADLINE");
    assert.match(error.message, /plugin p did not answer slow within 5 ms/);
    return true;
  });
  assert.equal((await aborted.promise as PulseError).code, "PLUGIN_ABORTED");
  answer.resolve("late");
  await answer.promise;
});

Deno.test("an abort rejects with the signal's reason", async () => {
  const { left } = pair(() => new Promise(() => {}));
  const controller = new AbortController();
  const call = left.call("x", [], { signal: controller.signal });
  controller.abort(new PulseError("MINE", "mine"));
  await assert.rejects(call, { code: "MINE" });
  await assert.rejects(left.call("x", [], { signal: controller.signal }), { code: "MINE" });
});

Deno.test("more calls than allowed are refused on both sides", async () => {
  const release = Promise.withResolvers<void>();
  let served = 0;
  const { left, right } = pair(() => {
    served++;
    return release.promise;
  }, 2);
  const first = [left.call("a", []), left.call("b", [])];
  await assert.rejects(left.call("c", []), { code: "PLUGIN_OVERLOADED" });
  // A caller that does not count is stopped by the other side.
  for (let id = 100; id < 105; id++) {
    right.receive({ type: "call", id, method: "x", args: [], ports: [] });
  }
  release.resolve();
  await Promise.all(first);
  assert.equal(served, 2);
});

Deno.test("closing rejects what waits and aborts what is served", async () => {
  const aborted = Promise.withResolvers<void>();
  const { left, right } = pair((_m, _a, _p, signal) => {
    signal.addEventListener("abort", () => aborted.resolve());
    return new Promise(() => {});
  });
  const call = assert.rejects(left.call("x", []), { code: "PLUGIN_DOWN" });
  await Promise.resolve();
  await Promise.resolve();
  right.close(new PluginError("PLUGIN_DOWN", "over"));
  left.close(new PluginError("PLUGIN_DOWN", "over"));
  await Promise.all([call, aborted.promise]);
  await assert.rejects(left.call("x", []), { code: "PLUGIN_DOWN" });
});

Deno.test("an answer may hand ports over, and one nobody waits for any more is reset", async () => {
  const { port1, port2 } = new MessageChannel();
  const given = Promise.withResolvers<WithPorts>();
  const { left, right } = pair(() => given.promise);
  const call = left.call("open", []);
  given.resolve(new WithPorts({ hello: 1 }, [port2]));
  const answer = await call;
  assert.ok(answer instanceof WithPorts);
  assert.deepEqual(answer.value, { hello: 1 });
  answer.ports[0]!.close();
  port1.close();

  const late = new MessageChannel();
  const told = new Promise((resolve) => {
    late.port1.onmessage = (event) => resolve(event.data);
  });
  left.receive({ type: "result", id: 999, value: null, ports: [late.port2] });
  assert.deepEqual(await told, { reset: 0 });
  late.port1.close();
  void right;
});

Deno.test("notes arrive without an answer", async () => {
  const { left, notes } = pair(() => Promise.resolve());
  left.notify("log", "info", { a: 1 });
  await Promise.resolve();
  assert.deepEqual(notes, [["log", "info", { a: 1 }]]);
});

Deno.test("what cannot be cloned is an error of the call, not of the channel", async () => {
  const { left } = pair(() => Promise.resolve(() => {}));
  await assert.rejects(left.call("x", [() => {}]), { code: "PLUGIN_PROTOCOL" });
  await assert.rejects(left.call("x", []), { code: "PLUGIN_PROTOCOL" });
});

Deno.test("messages that are none are refused", () => {
  const { left } = pair(() => Promise.resolve());
  for (
    const message of [
      null,
      5,
      "call",
      {},
      { type: "call", id: -1, method: "x", args: [], ports: [] },
      { type: "call", id: 1, method: 5, args: [], ports: [] },
      { type: "call", id: 1, method: "x".repeat(65), args: [], ports: [] },
      { type: "call", id: 1, method: "x", args: new Array(9), ports: [] },
      { type: "call", id: 1, method: "x", args: [], ports: [{}] },
      { type: "call", id: 1.5, method: "x", args: [], ports: [] },
      { type: "result", id: 1, value: null, ports: "p" },
      { type: "note", method: "x" },
      { type: "other", id: 1 },
    ]
  ) {
    assert.throws(() => left.receive(message), { code: "PLUGIN_PROTOCOL" });
  }
});
