import assert from "node:assert/strict";
import { dataFiles } from "../../core/control/types.ts";
import { DiskImages } from "./fixtures/disk_image.ts";
import { reports } from "./fixtures/troubles.ts";
import { tunnelVerdict } from "./fixtures/tunnel_verdict.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];

/** A change of the rules at the hub; the version that came of it. */
async function changeRules(mesh: SystemMesh, change: object): Promise<string> {
  const { status, body } = await mesh.node("hub").api("PUT", "/api/config", change);
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { version: string }).version;
}

async function hasVersion(mesh: SystemMesh, name: string, version: string): Promise<void> {
  await mesh.node(name).eventually(`${name} has version ${version}`, async () => {
    const { config } = await mesh.node(name).status();
    return `${config?.epoch}.${config?.version}` === version;
  });
}

Deno.test("a node that starts from an old disk never gets past the rules of today, says that its config went back, and takes nobody back with it", async () => {
  await withMesh(async (mesh) => {
    const images = new DiskImages(mesh);
    const member = async () => await mesh.start("member", ...loopback, await mesh.address("hub"));
    await mesh.start("hub", ...loopback, "--ca", "--scribe", "--allow-local", "all");
    const door = await mesh.address("hub");
    await mesh.ok("member", "join", await mesh.invite("hub", "--relay", door));
    await member();
    const { echo } = await mesh.service("hub", 1);
    const verdict = () => tunnelVerdict(mesh, "member", "hub", `127.0.0.1:${echo}`);
    const allow = { acls: [{ from: "*", to: "*" }] };
    const yesterday = await changeRules(mesh, allow);
    await hasVersion(mesh, "member", yesterday);
    await mesh.node("member").eventually("the way is open", async () => await verdict() === "ok");
    await mesh.node("member").stop();
    await images.keep("member");
    await member();
    const deny = { acls: [{ action: "deny", from: mesh.id("member"), to: "*" }] };
    const today = await changeRules(mesh, deny);
    await hasVersion(mesh, "member", today);
    assert.equal(await verdict(), "STREAM_DENIED");

    // All of its disk is an old one: it cannot know, but whoever it talks to does.
    await mesh.node("member").stop();
    await images.restore("member");
    await member();
    const verdicts = new Set<string>();
    await mesh.node("member").eventually("today's rules hold", async () => {
      verdicts.add(await verdict());
      const { config } = await mesh.node("member").status();
      return `${config?.epoch}.${config?.version}` === today;
    });
    assert.ok(!verdicts.has("ok"), [...verdicts].join());
    assert.equal(await verdict(), "STREAM_DENIED");

    // The config alone, while nobody is there to give it a newer one.
    await mesh.node("member").stop();
    await images.restoreFile("member", dataFiles.networkConfig);
    await mesh.node("hub").stop();
    await mesh.start("member", ...loopback, door);
    const reported = await reports(mesh, "member", "CONFIG_ROLLED_BACK");
    assert.ok(reported.includes(`in force is ${yesterday}.`), reported);
    await mesh.start("hub", "--listen", door, "--ca", "--scribe", "--allow-local", "all");
    await hasVersion(mesh, "member", today);
    assert.equal(await verdict(), "STREAM_DENIED");
    await hasVersion(mesh, "hub", today);
  });
});
