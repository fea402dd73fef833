import assert from "node:assert/strict";
import { join } from "node:path";
import { ControlClient } from "./client.ts";
import { ControlError, NotRunningError } from "./errors.ts";
import { serveControl } from "./server.ts";
import { noApiKeys, sampleControl, sampleStatus } from "./testing.ts";
import type { NodeControl } from "./types.ts";

async function withSocket(run: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(join(dir, "pulse.sock"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const serve = (socketPath: string, changes: Partial<NodeControl> = {}, signal?: AbortSignal) =>
  serveControl({
    socketPath,
    control: sampleControl(changes),
    apiKeys: noApiKeys(),
    log: () => {},
    ...(signal === undefined ? {} : { signal }),
  });

Deno.test("a client gets status, permissions and ping over a socket only its owner can open", async () => {
  await withSocket(async (path) => {
    await using _server = await serve(path);
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    using client = new ControlClient(path);
    assert.equal((await client.ping()).pid, Deno.pid);
    assert.deepEqual(await client.status(), sampleStatus());
    assert.equal((await client.permissions())[0]?.what, "ffi");
    assert.equal(await client.request("GET", "/metrics"), "pulse_peers_total 3\n");
  });
});

Deno.test("stop is answered before the server is gone, and the socket with it", async () => {
  await withSocket(async (path) => {
    const stop = new AbortController();
    await using _server = await serve(path, { stop: () => stop.abort() }, stop.signal);
    using client = new ControlClient(path);
    assert.equal(await client.stop(), Deno.pid);
  });
});

Deno.test("without a daemon the client says how to get one", async () => {
  await withSocket(async (path) => {
    using client = new ControlClient(path);
    await assert.rejects(client.status(), (error) => {
      assert.ok(error instanceof NotRunningError);
      assert.equal(error.code, "PULSE_NOT_RUNNING");
      assert.equal(
        error.message,
        `no pulse daemon answers at ${path}; start it with "pulse start ..." or point --data-dir to the right directory`,
      );
      return true;
    });
  });
});

Deno.test("a daemon's refusal arrives with its code and text", async () => {
  await withSocket(async (path) => {
    await using _server = await serve(path);
    using client = new ControlClient(path);
    await assert.rejects(client.request("POST", "/api/nope", { a: 1 }), (error) => {
      assert.ok(error instanceof ControlError);
      assert.equal(error.code, "ROUTE_UNKNOWN");
      assert.match(error.message, /no POST \/api\/nope/);
      return true;
    });
  });
});

Deno.test("a second server is refused while the first answers, and takes over a socket nobody answers on", async () => {
  await withSocket(async (path) => {
    {
      await using _first = await serve(path);
      await assert.rejects(serve(path), { code: "SOCKET_IN_USE" });
    }
    const script =
      `Deno.listen({ transport: "unix", path: Deno.args[0] }); Deno.kill(Deno.pid, "SIGKILL");`;
    await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", script, path],
      stdout: "null",
      stderr: "null",
    }).output();
    assert.equal((await Deno.stat(path)).isSocket, true);
    using client = new ControlClient(path);
    await assert.rejects(client.ping(), NotRunningError);
    await using _second = await serve(path);
    assert.equal((await client.ping()).pid, Deno.pid);
  });
});

Deno.test("something that is no socket is never removed", async () => {
  await withSocket(async (path) => {
    await Deno.writeTextFile(path, "mine");
    await assert.rejects(serve(path), { code: "SOCKET_PATH" });
    assert.equal(await Deno.readTextFile(path), "mine");
  });
});

Deno.test("a client that never finishes its request does not keep the server from stopping", async () => {
  await withSocket(async (path) => {
    const server = await serve(path);
    using slow = await Deno.connect({ transport: "unix", path });
    await slow.write(new TextEncoder().encode("GET /api/status HTTP/1.1\r\nHo"));
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  });
});
