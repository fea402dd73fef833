import assert from "node:assert/strict";
import { Lab, labTest } from "../lab/mod.ts";
import { withMesh } from "./system_mesh.ts";
import type { Talk } from "./talk.ts";

const needs = { namespaces: true, commands: ["curl"] } as const;
const fileBytes = 20_000_000;

/** One question and its answer. */
async function turn(talk: Talk, text: string): Promise<void> {
  await talk.write(text);
  assert.equal(new TextDecoder().decode(await talk.read(text.length)), text);
}

labTest(
  "a link that loses UDP goes on over WebSocket and comes back to QUIC, under a stream that notices nothing of the return",
  needs,
  async () => {
    await using net = await Lab.create();
    await net.node("a");
    await net.node("b");
    const cable = await net.link("a", "b");
    await withMesh(async (mesh) => {
      await mesh.start("b", "--ca", "--allow-local", "all");
      await mesh.ok("a", "join", await mesh.invite("b"));
      await mesh.start("a", "--socks", `${cable.ipv4("b")}:8443`);
      const service = await mesh.service("b", fileBytes);
      await mesh.linked("a", "b", "quic");
      const fetched = () =>
        mesh.curl(
          "a",
          ...["--socks5-hostname", "127.0.0.1:1080"],
          `http://${mesh.id("b")}.pulse:${service.http}/file`,
        );
      assert.equal((await fetched()).sha256, service.sha256);

      await net.blockUdp("a", "b");
      const lost = performance.now();
      await mesh.node("a").eventually(
        "a file arrives without UDP",
        async () => (await fetched()).sha256 === service.sha256,
      );
      const took = performance.now() - lost;
      assert.ok(took < 12_000, `${Math.round(took)} ms until new streams worked`);
      await mesh.linked("a", "b", "websocket");
      await mesh.linked("b", "a", "websocket");
      assert.match(await mesh.ok("a", "status"), /^[0-9a-f]{8} .* websocket /m);

      await using ssh = mesh.talk("a", "connect", mesh.id("b"), `127.0.0.1:${service.echo}`);
      await turn(ssh, "over WebSocket\n");
      await net.unblockUdp("a", "b");
      let turns = 0;
      await mesh.node("a").eventually("the link is QUIC again", async () => {
        await turn(ssh, `turn ${turns++}\n`.padEnd(10_000, "."));
        return (await mesh.peer("a", "b"))?.link === "quic";
      });
      await mesh.linked("b", "a", "quic");
      assert.equal((await fetched()).sha256, service.sha256);
      for (let i = 0; i < 20; i++) await turn(ssh, `turn ${turns++}\n`.padEnd(10_000, "."));
      await ssh.end();
      const said = "over WebSocket\n".length + turns * 10_000;
      assert.equal(new TextDecoder().decode(await ssh.rest()), `end of ${said} bytes`);
      assert.deepEqual(await ssh.ended(), { code: 0, stderr: "" });
      await mesh.node("a").eventually(
        "the WebSocket that nothing uses any more is closed",
        () => /session down.*"transport":"websocket"/.test(mesh.node("a").logs()),
      );
      assert.equal((await mesh.peer("a", "b"))?.link, "quic");
    }, net);
  },
);
