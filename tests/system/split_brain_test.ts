import assert from "node:assert/strict";
import { labTest } from "../lab/mod.ts";
import { DiskImages } from "./fixtures/disk_image.ts";
import { masterToken, type Star, withStar } from "./fixtures/star.ts";
import { reports, warns } from "./fixtures/troubles.ts";
import { tunnelVerdict } from "./fixtures/tunnel_verdict.ts";

const everybody = ["ca", "relay", "scribe", "second"];
const target = "127.0.0.1:22";

/** What a test does to a network and sees of it. */
function network(star: Star) {
  const { mesh } = star;
  const config = async (name: string) => {
    const { config } = await mesh.node(name).status();
    assert.ok(config !== null);
    return config;
  };
  return {
    config,
    /** A tag given to the CA's node; the version that came of it. */
    tag: async (scribe: string, tag: string): Promise<string> => {
      const body = { node: mesh.id("ca"), tag };
      const answer = await mesh.node(scribe).api("POST", "/api/tags", body);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return (answer.body as { version: string }).version;
    },
    tagsOfCa: async () => (await mesh.node("ca").status()).self.tags,
    /** Waits until all of them have the config that one of them has, and it has this version. */
    agree: async (version: string, names: readonly string[] = everybody) => {
      for (const name of names) {
        await mesh.node(name).eventually(`${name} has version ${version}`, async () => {
          const [here, there] = [await config(name), await config(names[0]!)];
          return `${here.epoch}.${here.version}` === version && here.hash === there.hash;
        });
      }
    },
    /** The role goes to a node, and all of these know. */
    grant: async (scribe: string, names: readonly string[] = everybody) => {
      await mesh.ok("ca", "ca", "grant", "scribe", mesh.id(scribe));
      for (const name of names) {
        await mesh.node(name).eventually(`${name} knows the scribe`, async () => {
          return (await config(name)).scribe === mesh.id(scribe);
        });
      }
    },
  };
}

labTest(
  "two scribes at once are reported by status, health and events, the CA's grant decides, and an old disk brings no older rule back",
  { namespaces: true },
  () =>
    withStar(["ca", "scribe", "second"], async (star) => {
      const { mesh } = star;
      const { config, tag, tagsOfCa, agree, grant } = network(star);
      const images = new DiskImages(mesh);
      const startScribe = async () =>
        await mesh.start("scribe", "--addr", "none", "--scribe", star.relayOf("scribe"));
      await star.startCaAndRelay();
      await star.startThroughRelay("scribe", masterToken, "--scribe");
      await star.isScribe("scribe");
      await star.startThroughRelay("second", masterToken, "--scribe");
      await agree(await tag("scribe", "one"));

      // A scribe with an old disk, out of reach, has the number for another change that the network has for a rule.
      await mesh.node("scribe").stop();
      await images.keep("scribe");
      await startScribe();
      await mesh.ok("scribe", "acl", "add", "--deny", "--from", mesh.id("second"), "--to", "*");
      await agree("1.2");
      const denied = async () => {
        assert.equal(await tunnelVerdict(mesh, "second", "ca", target), "STREAM_DENIED");
      };
      await mesh.path("second", "relay", "ca");
      await denied();
      await mesh.node("scribe").stop();
      await images.restore("scribe");
      await star.cable("scribe").cut("relay");
      await startScribe();
      assert.equal(await tag("scribe", "two"), "1.2");
      await star.cable("scribe").heal("relay");
      for (const name of ["relay", "scribe"]) {
        assert.match(await reports(mesh, name, "CONFIG_FORKED"), /two network configs 1\.2/);
      }
      await denied();

      await grant("second");
      await agree("1.2");
      assert.deepEqual(await tagsOfCa(), ["one"]);
      assert.match(await reports(mesh, "scribe", "CONFIG_ROLLED_BACK"), /in force is 1\.2/);
      await agree(await tag("second", "three"));
      assert.deepEqual(await tagsOfCa(), ["one", "three"]);
      for (const name of everybody) assert.ok(!await warns(mesh, name, "CONFIG_FORKED"), name);
      await denied();

      // The role goes back while its holder is out of reach: for a while there are two of them.
      await star.cable("second").cut("relay");
      await grant("scribe", ["ca", "relay", "scribe"]);
      assert.equal((await config("second")).scribe, mesh.id("second"));
      assert.equal(await tag("second", "lost"), "2.4");
      await agree(await tag("scribe", "four"), ["ca", "relay", "scribe"]);
      await star.cable("second").heal("relay");
      await agree("3.4");
      assert.deepEqual(await tagsOfCa(), ["four", "one", "three"]);
      assert.match(await reports(mesh, "second", "CONFIG_FORKED"), /published network config 2\.4/);
      const late = await mesh.node("second").api("POST", "/api/tags", {
        node: mesh.id("ca"),
        tag: "late",
      });
      assert.equal((late.body as { code: string }).code, "NETCONFIG_NOT_SCRIBE");
    }),
);
