import assert from "node:assert/strict";
import { joinTokenId } from "../../core/identity/mod.ts";
import { labTest } from "../lab/mod.ts";
import { Effects } from "./fixtures/effects.ts";
import { masterToken, type Star, withStar } from "./fixtures/star.ts";
import { tunnelVerdict } from "./fixtures/tunnel_verdict.ts";

/** Where nothing listens: what comes back is a verdict on the way there. */
const target = "127.0.0.1:22";

/** A CA, a scribe and a member around a relay, and what each of them shows. */
function views(star: Star) {
  const { mesh } = star;
  return {
    self: async (name: string) => (await mesh.node(name).status()).self,
    config: async (name: string) => {
      const { config } = await mesh.node(name).status();
      assert.ok(config !== null);
      return config;
    },
    /** The addresses of a name, asked at the member. */
    addresses: async (name: string) => {
      const asked = ["dig", "@127.0.0.1", "-p", "5353", "+short", "+tries=1", "+time=1", name];
      return (await star.exec("member", ...asked)).trim();
    },
    linked: async (name: string) =>
      (await mesh.node(name).status()).peers.some(({ link }) => link !== "-"),
    /** Whether the CA's ledger has a token, by its id. */
    ledgerHas: async (id: string) => {
      const { body } = await mesh.node("ca").api("GET", "/api/tokens");
      return (body as { tokens: { id: string }[] }).tokens.some((token) => token.id === id);
    },
  };
}

labTest(
  "with CA, scribe and member around a relay, every change is in force at the far node within 2 s, also when the scribe has moved",
  { namespaces: true, commands: ["dig"] },
  () =>
    withStar(["ca", "scribe", "member"], async (star) => {
      const { mesh } = star;
      const { self, config, addresses, linked, ledgerHas } = views(star);
      const effects = new Effects(mesh);
      const at = (scribe: string, ...args: string[]) => () => mesh.ok(scribe, ...args);
      await star.startCaAndRelay();
      await star.startThroughRelay("scribe", masterToken, "--scribe");
      await star.isScribe("scribe");

      let made = "";
      const token = await effects.of(
        "ca",
        "token",
        async () => made = await mesh.ok("scribe", "token", "create", "--tag", "edge"),
        async () => made !== "" && await ledgerHas(joinTokenId(made.trim())),
      );
      await star.startThroughRelay("member", token, "--dns", "--scribe");
      const member = mesh.id("member");
      await mesh.node("member").eventually("the token's tag is given", async () => {
        return (await self("member")).tags.includes("edge");
      });
      for (const [from, to] of [["member", "scribe"], ["scribe", "member"], ["member", "ca"]]) {
        await mesh.path(from!, "relay", to!);
      }

      const changed = (what: string, ...args: string[]) => async (check: () => Promise<boolean>) =>
        await effects.of("member", what, at("scribe", ...args), check);
      await changed("tag", "tag", member, "far")(
        async () => (await self("member")).tags.includes("far"),
      );
      await changed("name", "name", member, "edge")(
        async () => (await self("member")).name === "edge",
      );
      await changed("DNS record", "dns", "add", "db", "10.0.0.7")(
        async () => await addresses("db.pulse") === "10.0.0.7",
      );
      const verdict = () => tunnelVerdict(mesh, "member", "scribe", target);
      const open = await verdict();
      assert.notEqual(open, "STREAM_DENIED");
      await changed("ACL rule", "acl", "add", "--deny", "--from", "edge", "--to", "*")(
        async () => await verdict() === "STREAM_DENIED",
      );
      await changed("ACL rule removed", "acl", "remove", "0")(async () => await verdict() === open);

      const before = await config("scribe");
      const scribe = mesh.node("scribe");
      await scribe.api("PUT", "/api/name", { node: member, name: "lost" });
      await scribe.api("DELETE", "/api/dns?name=db");
      await mesh.node("member").eventually("the name is another", async () => {
        return (await self("member")).name === "lost" && await addresses("db.pulse") === "";
      });
      await changed("rollback", "config", "rollback", `${before.epoch}.${before.version}`)(
        async () =>
          (await self("member")).name === "edge" && await addresses("db.pulse") === "10.0.0.7",
      );
      await changed("revoke", "revoke", "edge")(async () => !await linked("member"));
      // The node itself is back when it dials again, and that it does less and less often; whoever it dials lets it in.
      const { version: revoked } = await config("scribe");
      await effects.of("ca", "unrevoke", at("scribe", "unrevoke", member), async () => {
        return (await config("ca")).version === revoked + 1;
      });
      await mesh.path("ca", "relay", "member");

      await effects.of(
        "member",
        "scribe moved",
        at("ca", "ca", "grant", "scribe", member),
        async () => (await config("member")).scribe === member,
      );
      await effects.of(
        "scribe",
        "tag by the new scribe",
        at("member", "tag", mesh.id("scribe"), "retired"),
        async () => (await self("scribe")).tags.includes("retired"),
      );
      const { epoch, version } = await config("ca");
      assert.deepEqual([epoch, version], [2, before.version + 6]);
      const refused = await mesh.pulse("scribe", "tag", member, "mine");
      assert.deepEqual([refused.code, /not the network's scribe/.test(refused.stderr)], [1, true]);
      console.log(`${effects}`);
    }),
);
