import assert from "node:assert/strict";
import { labTest } from "../lab/mod.ts";
import { SmallDisk } from "./fixtures/small_disk.ts";
import { tunnelVerdict } from "./fixtures/tunnel_verdict.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];

/** Asks the scribe for a name; its answer. */
async function name(mesh: SystemMesh, of: string, wanted: string) {
  return await mesh.node("hub").api("PUT", "/api/name", { node: mesh.id(of), name: wanted });
}

labTest(
  "with a full disk a node follows the network config all the same, and a scribe changes nothing and says so, while streams run",
  { root: true, commands: ["mount", "umount"] },
  () =>
    withMesh(async (mesh) => {
      await using ofHub = await SmallDisk.mount(mesh.dataDir("hub"));
      await using ofMember = await SmallDisk.mount(mesh.dataDir("member"));
      await mesh.start("hub", ...loopback, "--ca", "--scribe", "--allow-local", "all");
      const door = await mesh.address("hub");
      await mesh.ok("member", "join", await mesh.invite("hub", "--relay", door));
      await mesh.start("member", ...loopback, "--allow-local", "all", door);
      await mesh.linked("hub", "member", "quic");
      await mesh.linked("member", "hub", "quic");
      const { echo } = await mesh.service("hub", 1);
      await using talk = mesh.talk("member", "connect", mesh.id("hub"), `127.0.0.1:${echo}`);
      const talks = async (text: string) => {
        await talk.write(text);
        assert.equal(new TextDecoder().decode(await talk.read(text.length)), text);
      };
      const isNamed = async (wanted: string) =>
        await mesh.node("member").eventually(
          `the member is called ${wanted}`,
          async () => (await mesh.node("member").status()).self.name === wanted,
        );
      assert.equal((await name(mesh, "member", "one")).status, 200);
      await isNamed("one");

      await ofMember.fill();
      assert.equal((await name(mesh, "member", "two")).status, 200);
      await isNamed("two");
      await talks("while the member's disk is full");
      const rule = { from: "*", to: mesh.id("hub"), action: "deny" };
      await mesh.node("hub").api("POST", "/api/acls", { rule });
      await mesh.node("member").eventually(
        "the rule holds",
        async () =>
          await tunnelVerdict(mesh, "member", "hub", `127.0.0.1:${echo}`) === "STREAM_DENIED",
      );
      await talk.ended();
      await mesh.node("hub").api("DELETE", "/api/acls?index=0");

      await ofHub.fill();
      const before = (await mesh.node("hub").status()).config;
      const refused = await name(mesh, "member", "three");
      assert.equal((refused.body as { code: string }).code, "NETCONFIG_STORAGE");
      assert.equal((await mesh.node("hub").status()).config?.hash, before?.hash);
      await mesh.node("member").eventually(
        "the member may reach the hub again",
        async () => await tunnelVerdict(mesh, "member", "hub", `127.0.0.1:${echo}`) === "ok",
      );

      await ofHub.clear();
      await ofMember.clear();
      assert.equal((await name(mesh, "member", "four")).status, 200);
      await isNamed("four");
      for (const at of ["hub", "member"]) {
        await mesh.node(at).stop();
        await mesh.start(at, ...(at === "hub" ? ["--listen", door, "--ca", "--scribe"] : loopback));
        await mesh.ok(at, "audit", "verify");
      }
      await isNamed("four");
      await mesh.node("member").stop();
      await mesh.node("hub").stop();
    }),
);
