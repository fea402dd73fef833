import assert from "node:assert/strict";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];

/** Waits until a node's status says why it cannot link that address, and says that its log says so too. */
async function refusedBecause(
  mesh: SystemMesh,
  name: string,
  address: string,
  reason: RegExp,
): Promise<void> {
  const told = await mesh.node(name).eventually(`${name} knows why it is refused`, async () => {
    const { warnings } = await mesh.node(name).status();
    return warnings.find(({ code, text }) => code === "PEER_UNREACHABLE" && reason.test(text));
  });
  assert.match(told.text, new RegExp(address.replaceAll(".", "\\.")));
  assert.match(mesh.node(name).logs(), new RegExp(`dial failed.*${reason.source}`));
  assert.match(await mesh.ok(name, "status"), reason);
}

/** Nothing of the other node is known here, and none of its sessions ever came up. */
async function knowsNothingOf(mesh: SystemMesh, name: string, other: string): Promise<void> {
  assert.equal(await mesh.peer(name, other), undefined);
  assert.doesNotMatch(mesh.node(name).logs(), /session up/);
}

for (const [transport, flag] of [["QUIC", "--no-websocket"], ["WebSocket", "--no-quic"]] as const) {
  Deno.test(`a node of another network is refused over ${transport} and told why`, async () => {
    await withMesh(async (mesh) => {
      await mesh.start("one", ...loopback, "--ca", "--network", "one");
      const door = await mesh.address("one");
      await mesh.start("two", ...loopback, "--ca", "--network", "two", flag, door);
      await refusedBecause(mesh, "two", door, /another network, lives there/);
      await knowsNothingOf(mesh, "one", "two");
      await knowsNothingOf(mesh, "two", "one");
    });
  });
}

Deno.test("networks of one name with different CAs are two networks, and a member of one cannot be told it is in the other", async () => {
  await withMesh(async (mesh) => {
    await mesh.start("one", ...loopback, "--ca", "--network", "one");
    await mesh.start("twin", ...loopback, "--ca", "--network", "one", await mesh.address("one"));
    await refusedBecause(mesh, "twin", await mesh.address("one"), /another network, lives there/);
    await knowsNothingOf(mesh, "one", "twin");

    await mesh.ok("member", "join", await mesh.invite("one", "--relay", await mesh.address("one")));
    const { code, stderr } = await mesh.pulse("member", "start", ...loopback, "--network", "two");
    assert.equal(code, 1);
    assert.match(stderr, /is for network "one", this is network "two"/);
  });
});

for (const [transport, flag] of [["QUIC", "--no-websocket"], ["WebSocket", "--no-quic"]] as const) {
  Deno.test(`a node the CA revokes loses its link over ${transport} at once and gets no other, also after a restart of the CA`, async () => {
    await withMesh(async (mesh) => {
      const ca = await mesh.start("ca", ...loopback, "--ca", "--allow-local", "all");
      const door = await mesh.address("ca");
      await mesh.ok("bad", "join", await mesh.invite("ca", "--relay", door));
      await mesh.start("bad", ...loopback, flag, door);
      const kind = transport === "QUIC" ? "quic" : "websocket";
      await mesh.linked("ca", "bad", kind);
      const { echo } = await mesh.service("ca", 1);
      await using talk = mesh.talk("bad", "connect", mesh.id("ca"), `127.0.0.1:${echo}`);
      await talk.write("?");
      await talk.read(1);

      await mesh.ok("ca", "ca", "revoke", mesh.id("bad"));
      const { code } = await talk.ended();
      assert.notEqual(code, 0, "the running stream broke");
      await refusedBecause(mesh, "bad", door, /revoked/);
      assert.equal((await mesh.peer("ca", "bad"))?.link ?? "-", "-");

      await ca.stop();
      await mesh.start("ca", "--listen", door, "--addr", "none", "--ca");
      const again = await mesh.invite("ca", "--relay", door);
      const rejoin = await mesh.pulse("bad", "join", again);
      assert.match(rejoin.stdout, /already joined/);
      await refusedBecause(mesh, "bad", door, /revoked/);
      await knowsNothingOf(mesh, "ca", "bad");
    });
  });
}
