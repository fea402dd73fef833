import assert from "node:assert/strict";
import { join } from "node:path";
import { PulseError } from "../errors/mod.ts";
import type { NodeCertificate } from "../identity/types.ts";
import { StreamResetError } from "../sessions/errors.ts";
import type { ByteStream } from "../sessions/types.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { PathStream } from "../streams/mesh_stream.ts";
import type { MeshStream } from "../streams/mod.ts";
import { connToStream } from "../streams/conn_stream.ts";
import { NotRunningError } from "./errors.ts";
import { openTunnel } from "./tunnel_client.ts";
import type { OpenTunnelStream } from "./tunnel_connection.ts";
import { serveTunnels, type ServeTunnelsOptions, type TunnelServer } from "./tunnel_server.ts";

const peer = { id: "b".repeat(32) } as NodeCertificate;
const bytes = (text: string) => new TextEncoder().encode(text);

async function readAll(stream: ByteStream): Promise<string> {
  let text = "";
  for (let chunk; (chunk = await stream.read()) !== null;) text += new TextDecoder().decode(chunk);
  return text;
}

/** A mesh in which every target is the far end of a memory stream. */
function fakeMesh() {
  const asked: Parameters<OpenTunnelStream>[0][] = [];
  const far: ByteStream[] = [];
  const openStream: OpenTunnelStream = (request) => {
    asked.push(request);
    if (request.node === "nobody") {
      return Promise.reject(new PulseError("NODE_UNKNOWN", "no node is called nobody"));
    }
    const [a, b] = memoryStreamPair();
    far.push(b);
    const mesh: MeshStream = new PathStream(a, peer, ["a".repeat(32), peer.id]);
    return Promise.resolve(mesh);
  };
  return { asked, far, openStream };
}

async function withServer(
  changes: Partial<ServeTunnelsOptions>,
  run: (
    context: ReturnType<typeof fakeMesh> & { path: string; dir: string; server: TunnelServer },
  ) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const mesh = fakeMesh();
  try {
    const path = join(dir, "tunnel.sock");
    await using server = await serveTunnels({
      socketPath: path,
      openStream: mesh.openStream,
      log: () => {},
      ...changes,
    });
    await run({ ...mesh, path, dir, server });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a tunnel carries both directions and each end of it separately", async () => {
  await withServer({}, async ({ path, asked, far }) => {
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    const { stream, opened } = await openTunnel({ path }, { node: "b", target: "localhost:22" });
    assert.deepEqual(opened, { node: peer.id, path: ["a".repeat(32), peer.id] });
    assert.deepEqual(asked, [{ node: "b", protocol: "tcp", target: "localhost:22", port: 22 }]);
    const server = far[0]!;
    await stream.write(bytes("request"));
    await stream.closeWrite();
    assert.equal(await readAll(server), "request");
    await server.write(bytes("answer after the end of the request"));
    await server.closeWrite();
    assert.equal(await readAll(stream), "answer after the end of the request");
    await stream.closed;
  });
});

Deno.test("bytes that come together with the first line are payload", async () => {
  await withServer({}, async ({ path, far }) => {
    const stream = connToStream(await Deno.connect({ transport: "unix", path }));
    await stream.write(bytes(`{"node":"b","target":"x:80"}\nearly bytes`));
    await stream.closeWrite();
    const answer = new TextDecoder().decode((await stream.read()) ?? undefined);
    assert.equal(JSON.parse(answer).ok, true);
    assert.equal(await readAll(far[0]!), "early bytes");
    await far[0]!.closeWrite();
    assert.equal(await stream.read(), null);
    await stream.closed;
  });
});

Deno.test("a refusal arrives whole with its code, even at a client that had begun to talk", async () => {
  await withServer({}, async ({ path }) => {
    await assert.rejects(openTunnel({ path }, { node: "nobody", target: "x:80" }), {
      code: "NODE_UNKNOWN",
      message: "no node is called nobody",
    });
    const stream = connToStream(await Deno.connect({ transport: "unix", path }));
    await stream.write(bytes(`{"node":"nobody","target":"x:80"}\n${"early ".repeat(5_000)}`));
    await stream.closeWrite();
    assert.equal(JSON.parse(await readAll(stream)).code, "NODE_UNKNOWN");
    await stream.closed;
  });
});

Deno.test("when the far end breaks off, the client's connection ends", async () => {
  await withServer({}, async ({ path, far }) => {
    const { stream } = await openTunnel({ path }, { node: "b", target: "x:80" });
    far[0]!.reset();
    assert.equal(await stream.read(), null);
    await assert.rejects(async () => {
      for (;;) await stream.write(new Uint8Array(65_536));
    }, StreamResetError);
    await stream.closed;
  });
});

Deno.test("a client that breaks off ends the far end abruptly", async () => {
  await withServer({}, async ({ path, far }) => {
    const { stream } = await openTunnel({ path }, { node: "b", target: "x:80" });
    const server = far[0]!;
    stream.reset();
    assert.equal(await server.read(), null);
    await assert.rejects(async () => {
      for (;;) await server.write(new Uint8Array(65_536));
    }, StreamResetError);
  });
});

Deno.test("a client that does not finish its first line in time is dropped", async () => {
  await withServer({ lineTimeoutMs: 20 }, async ({ path, asked }) => {
    const stream = connToStream(await Deno.connect({ transport: "unix", path }));
    await stream.write(bytes(`{"node":`));
    assert.equal(await stream.read(), null);
    await stream[Symbol.asyncDispose]();
    assert.deepEqual(asked, []);
  });
});

Deno.test("the TCP listener wants the local token and opens nothing without it", async () => {
  const tokenDir = await Deno.makeTempDir();
  try {
    const tokenPath = join(tokenDir, "local-token");
    await withServer({ tcp: { address: "127.0.0.1:0", tokenPath } }, async ({ server, asked }) => {
      const { host, port } = server.tcpAddress!;
      const endpoint = { hostname: host, port };
      const token = (await Deno.readTextFile(tokenPath)).trim();
      for (const wrong of [undefined, "", "0".repeat(64)]) {
        await assert.rejects(
          openTunnel(endpoint, {
            node: "b",
            target: "x:80",
            ...(wrong === undefined ? {} : { token: wrong }),
          }),
          { code: "TUNNEL_DENIED", message: /local-token/ },
        );
      }
      assert.deepEqual(asked, []);
      const { stream } = await openTunnel(endpoint, { node: "b", target: "x:80", token });
      stream.reset();
      assert.equal(asked.length, 1);
    });
  } finally {
    await Deno.remove(tokenDir, { recursive: true });
  }
});

Deno.test("stopping resets what is open and leaves no socket behind", async () => {
  let path = "";
  let open: ByteStream | undefined;
  await withServer({}, async (context) => {
    path = context.path;
    open = (await openTunnel({ path }, { node: "b", target: "x:80" })).stream;
  });
  assert.equal(await open!.read(), null);
  open!.reset();
  await assert.rejects(openTunnel({ path }, { node: "b", target: "x:80" }), NotRunningError);
});

Deno.test("an address that is taken is a typed error and nothing stays open", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const dir = await Deno.makeTempDir();
  try {
    await assert.rejects(
      serveTunnels({
        socketPath: join(dir, "tunnel.sock"),
        tcp: { address: `127.0.0.1:${port}`, tokenPath: join(dir, "local-token") },
        openStream: fakeMesh().openStream,
        log: () => {},
      }),
      { code: "TUNNEL_LISTEN", message: /--tcp/ },
    );
    await assert.rejects(Deno.stat(join(dir, "tunnel.sock")), Deno.errors.NotFound);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
