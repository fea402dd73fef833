import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dataFiles } from "../../core/control/types.ts";
import { allEnded, eventually, labTest } from "../lab/mod.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0"];

const socketsOf = (mesh: SystemMesh, name: string) =>
  [dataFiles.controlSocket, dataFiles.tunnelSocket].map((file) => join(mesh.dataDir(name), file));

Deno.test("a daemon is there when start returns, is alone in its directory, and leaves no socket behind", async () => {
  await withMesh(async (mesh) => {
    const pid = await mesh.background("a", ...loopback, "--ca");
    const { self } = await mesh.status("a");
    assert.equal(self.pid, pid);
    for (const path of socketsOf(mesh, "a")) assert.ok(existsSync(path));
    const second = await mesh.pulse("a", "start", ...loopback, "--ca");
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`already running .*pid ${pid}`));
    const busy = await mesh.pulse("b", "start", "--ca", "--listen", self.listen.quic ?? "");
    assert.equal(busy.code, 1);
    assert.match(
      busy.stderr,
      new RegExp(`${self.listen.quic?.replaceAll(".", "\\.")}.*in use`, "s"),
    );

    Deno.kill(pid, "SIGTERM");
    await allEnded([pid]);
    for (const path of socketsOf(mesh, "a")) assert.ok(!existsSync(path), path);
    assert.equal((await mesh.pulse("a", "status")).code, 3);
    await mesh.background("a", ...loopback, "--ca");
    assert.equal(await mesh.ok("a", "stop"), "pulse stopped\n");

    const foreground = await mesh.start("a", ...loopback, "--ca");
    const { code, signal } = await foreground.stop("SIGTERM");
    assert.deepEqual([code, signal], [0, null]);
    for (const path of socketsOf(mesh, "a")) assert.ok(!existsSync(path), path);
  });
});

Deno.test("a node that was killed and is told no peer goes back to those it knew", async () => {
  await withMesh(async (mesh) => {
    await mesh.start("hub", ...loopback, "--ca");
    const code = await mesh.invite("hub", "--max-uses", "2");
    await Promise.all([mesh.ok("leaf", "join", code), mesh.ok("other", "join", code)]);
    const leaf = await mesh.start("leaf", ...loopback, await mesh.address("hub"));
    await mesh.start("other", ...loopback, await mesh.address("hub"));
    // By way of the hub's gossip they know each other too.
    await Promise.all([
      mesh.linked("leaf", "hub", "quic"),
      mesh.linked("leaf", "other", "quic"),
    ]);
    const peers = join(mesh.dataDir("leaf"), dataFiles.peers);
    await leaf.eventually("both are on disk", async () => {
      const text = await Deno.readTextFile(peers);
      return text.includes(mesh.id("hub")) && text.includes(mesh.id("other"));
      // Who is linked later than five seconds after the start is written down with the next minute.
    }, 90_000);
    await leaf.kill9();
    await mesh.start("leaf", ...loopback);
    await Promise.all([
      mesh.linked("leaf", "hub", "quic"),
      mesh.linked("leaf", "other", "quic"),
    ]);
  });
});

Deno.test("a node that cannot join yet says so, and joins in the background when it can", async () => {
  await withMesh(async (mesh) => {
    const stranger = await mesh.pulse("a", "start", ...loopback);
    assert.equal(stranger.code, 1);
    assert.match(stranger.stderr, /has not joined a network. Run `pulse join/);

    const hub = await mesh.start("hub", ...loopback, "--ca");
    const [door, code] = [await mesh.address("hub"), await mesh.invite("hub")];
    await hub.stop();
    const pid = await mesh.background("a", ...loopback, "--join", code);
    const waiting = await eventually(async () => {
      const status = await mesh.status("a");
      return status.warnings.some(({ code, text }) =>
        code === "NOT_JOINED" && text.includes(door)
      ) && status;
    }, { what: "status says why the node has not joined" });
    assert.equal(waiting.self.joined, false);
    const early = await mesh.pulse("a", "connect", waiting.self.id, "127.0.0.1:22");
    assert.equal(early.code, 1);
    assert.match(early.stderr, /not joined/);

    await mesh.start("hub", "--listen", door, "--ca");
    const joined = await eventually(async () => {
      const status = await mesh.status("a");
      return status.peers.some((peer) => peer.link !== "-") && status;
    }, { what: "the node has joined and linked", timeoutMs: 60_000 });
    assert.deepEqual([joined.self.joined, joined.self.pid], [true, pid]);
    assert.deepEqual(joined.warnings, []);
    assert.equal(await mesh.ok("a", "stop"), "pulse stopped\n");
  });
});

labTest(
  "a relay-only node may touch nothing but its own files, and carries traffic and joins all the same",
  { commands: ["curl"] },
  async () => {
    await withMesh(async (mesh) => {
      await mesh.start("hub", ...loopback, "--addr", "none", "--ca", "--allow-local", "all");
      const hub = await mesh.address("hub");
      await mesh.ok("relay", "join", await mesh.invite("hub", "--relay", hub));
      await mesh.start("relay", ...loopback, "--relay-only", "--addr", "none", hub);
      await mesh.linked("relay", "hub", "quic");
      const { probes } = JSON.parse(await mesh.ok("relay", "permissions", "--json"));
      const allowed = (probes as { what: string; allowed: boolean }[])
        .filter((probe) => probe.allowed).map(({ what }) => what);
      assert.deepEqual(allowed, ["write in the data directory"]);
      assert.ok(probes.length >= 8);

      // Its only way to the hub is the relay: nobody tells it where the hub is.
      const relay = await mesh.address("relay");
      await mesh.ok("a", "join", await mesh.invite("hub", "--relay", relay));
      const socks = ["--socks", "--socks-listen", "127.0.0.1:0"];
      await mesh.start("a", ...loopback, "--addr", "none", ...socks, relay);
      await mesh.path("a", "relay", "hub");
      const service = await mesh.service("hub", 5_000_000);
      const { code, sha256 } = await mesh.curl(
        "a",
        ...["--socks5-hostname", `127.0.0.1:${mesh.socksPort("a")}`],
        `http://${mesh.id("hub")}.pulse:${service.http}/file`,
      );
      assert.deepEqual([code, sha256], [0, service.sha256]);
    });
  },
);

Deno.test("the TCP tunnel listener carries who has the local token to another node, and nobody else", async () => {
  await withMesh(async (mesh) => {
    await mesh.start("hub", ...loopback, "--ca", "--allow-local", "all");
    await mesh.ok("a", "join", await mesh.invite("hub"));
    const port = freePort();
    await mesh.start("a", ...loopback, "--tcp", `:${port}`, await mesh.address("hub"));
    await mesh.linked("a", "hub", "quic");
    const { echo } = await mesh.service("hub", 1);
    const request = { node: mesh.id("hub"), target: `127.0.0.1:${echo}` };
    const token = (await Deno.readTextFile(join(mesh.dataDir("a"), dataFiles.localToken))).trim();
    for (const wrong of [undefined, "", token.slice(1) + token[0]]) {
      const answer = await ask(port, { ...request, token: wrong }, "hello");
      assert.equal(JSON.parse(answer).code, "TUNNEL_DENIED");
    }
    assert.match(await ask(port, { ...request, token }, "hello"), /\nhelloend of 5 bytes$/);
  });
});

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Everything the listener answers to a request line, some bytes and the end. */
async function ask(port: number, request: object, more: string): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(`${JSON.stringify(request)}\n${more}`));
  await conn.closeWrite();
  return await new Response(conn.readable).text();
}
