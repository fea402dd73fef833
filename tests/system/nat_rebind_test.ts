import assert from "node:assert/strict";
import { Cable, eventually, labTest } from "../lab/mod.ts";
import { withMesh } from "./system_mesh.ts";

const fileBytes = 64_000_000;

labTest(
  "a NAT that changes its ports in the middle of a transfer costs neither a byte nor the session",
  { commands: ["curl"] },
  async () => {
    await withMesh(async (mesh) => {
      const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];
      const relay = await mesh.start("b", ...loopback, "--ca", "--allow-local", "all");
      const port = Number((await relay.status()).self.listen.quic?.split(":").at(-1));
      await using cable = await Cable.create({ port });
      const door = `127.0.0.1:${cable.port}`;
      await mesh.ok("a", "join", await mesh.invite("b", "--relay", door));
      const a = await mesh.start(
        "a",
        ...loopback,
        // On a busy machine a WebSocket may come up first, and go: this is about QUIC's session.
        "--no-websocket",
        "--socks-listen",
        "127.0.0.1:0",
        "--socks",
        door,
      );
      const socks = mesh.socksPort("a");
      const service = await mesh.service("b", fileBytes);
      await mesh.linked("a", "b", "quic");
      const fetching = mesh.curl(
        "a",
        ...["--socks5-hostname", `127.0.0.1:${socks}`],
        `http://${mesh.id("b")}.pulse:${service.http}/file`,
      );
      for (const at of [10_000_000, 25_000_000, 40_000_000]) {
        await eventually(() => cable.bytes.udp.fromTarget > at, {
          what: `${at} bytes have come through`,
          intervalMs: 1,
        });
        assert.ok(cable.bytes.udp.fromTarget < fileBytes, "in the middle of the transfer");
        cable.rebindUdp();
      }
      const { code, stderr, sha256 } = await fetching;
      assert.deepEqual([code, stderr, sha256], [0, "", service.sha256]);
      const peer = await mesh.linked("a", "b", "quic");
      assert.ok(peer.bytesIn > fileBytes, "all over one session");
      assert.equal(a.logs().match(/"session up"/g)?.length, 1);
      assert.doesNotMatch(a.logs(), /"session down"/);
      assert.doesNotMatch(relay.logs(), /"session down"/);
    });
  },
);
