import assert from "node:assert/strict";
import { join } from "node:path";
import { matchRoute } from "../../core/control/plugin_routes.ts";
import { problemResponse, toProblem } from "../../core/control/problem.ts";
import { withSharedTokens } from "../../core/control/token_routes.ts";
import { decodeInvite, joinTokenId } from "../../core/identity/mod.ts";
import type { ConfigBody } from "../../core/netconfig/mod.ts";
import type { PluginApiRoute } from "../../core/plugin/types.ts";
import scribe from "../../plugins/scribe/mod.ts";
import { FakeMesh, laptop, scribeId, server } from "../../plugins/scribe/testing.ts";
import { runCli } from "../run_cli.ts";
import { testIo } from "../testing.ts";

interface Lab {
  readonly mesh: FakeMesh;
  /** Runs a command line against the scribe. */
  pulse(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** The same, when all goes well. */
  ok(line: string): Promise<string>;
}

/** The scribe plugin behind a control socket of the test's own. */
async function withLab(run: (lab: Lab) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-control-" });
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-scribe-" });
  const mesh = new FakeMesh();
  const { signal } = new AbortController();
  const log = () => {};
  const hooks = await scribe({ name: "scribe", config: null, dataDir, host: mesh, log, signal });
  const socket = Deno.serve(
    { path: join(dir, "pulse.sock"), onListen: () => {} },
    async (request) =>
      new URL(request.url).pathname === "/api/exits"
        ? Response.json(await exits(mesh))
        : await answer(withSharedTokens(hooks.apiRoutes ?? []), request),
  );
  const pulse: Lab["pulse"] = async (...words) => {
    const io = testIo();
    const code = await runCli([...words, "--data-dir", dir], io);
    return { code, stdout: io.out.join(""), stderr: io.errors.join("") };
  };
  try {
    await run({
      mesh,
      pulse,
      async ok(line) {
        const { code, stdout, stderr } = await pulse(...line.split(" "));
        assert.equal(code, 0, `${line}: ${stderr}`);
        return stdout;
      },
    });
  } finally {
    await socket.shutdown();
    await hooks.onStop?.();
    await Deno.remove(dir, { recursive: true });
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** What core says of approved routes while no node announces any. */
async function exits(mesh: FakeMesh) {
  const { body } = await mesh.call("netconfig", "current", null) as unknown as {
    readonly body: ConfigBody;
  };
  const routes = body.routes.map((route) => ({ ...route, state: "unannounced", score: null }));
  return { routes, use: null, killswitch: false };
}

async function answer(routes: readonly PluginApiRoute[], request: Request): Promise<Response> {
  const url = new URL(request.url);
  const path = url.pathname.replace(/^\/api/, "");
  const found = matchRoute(routes, request.method, path);
  if (!("route" in found)) {
    const problem = { title: "Not found", status: 404, code: "ROUTE_UNKNOWN", detail: path };
    return problemResponse(problem);
  }
  const text = await request.text();
  try {
    const { status, body } = await found.route.handle({
      params: found.params,
      query: Object.fromEntries(url.searchParams),
      body: text === "" ? null : JSON.parse(text),
      by: "local",
    });
    return Response.json(body, { status });
  } catch (error) {
    return problemResponse(toProblem(error));
  }
}

Deno.test("names, tags, addresses and pins are said to be so, with the version they are in", () =>
  withLab(async ({ ok, pulse, mesh }) => {
    assert.equal(
      await ok(`name ${laptop.slice(0, 6)} box`),
      "11111111 is called box (version 1.1)\n",
    );
    assert.equal(await ok("tag box dev"), "box (11111111) has tag dev (version 1.2)\n");
    assert.equal(await ok("tag box dev"), "nothing to change: tag unchanged\n");
    assert.match(await ok("groups"), /^TAG +NODES\ndev +1\n$/);
    assert.match(await ok("untag box dev"), /has no tag dev any more/);
    assert.match(await ok("groups"), /no node has a tag/);
    assert.match(await ok("mesh-ip box 10.100.7.7"), /has mesh address 10\.100\.7\.7/);
    assert.match(await ok("mesh-ip box none"), /of its certificate again/);
    assert.match(await ok(`pin box ${server}`), /is reached through 22222222/);
    assert.match(await ok("unpin box"), /not pinned any more/);
    assert.match(await ok("name box none"), /has no name any more/);
    assert.deepEqual(mesh.body.nodes, {});
    const bad = await pulse("name", laptop, "Not_A_Name");
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /cannot be a node's name/);
    const json = await pulse("tag", laptop, "x", "--json");
    assert.equal(JSON.parse(json.stdout).changed, true);
  }));

Deno.test("rules are listed in their order, and a change that breaks an expectation needs force", () =>
  withLab(async ({ ok, pulse }) => {
    assert.equal(await ok("acl list"), "no rules: everybody may reach everybody\n");
    await ok(`name ${laptop} box`);
    await ok(`name ${server} db`);
    await ok("acl add --from box --to db --ports 22,8000-9000 --comment ssh");
    await ok("acl add --deny --from tag:guest --at 0");
    assert.equal(
      await ok("acl list"),
      [
        "#  ACTION  FROM       TO  PORTS         PROTO  COMMENT",
        "0  deny    tag:guest  *   *             *",
        "1  allow   box        db  22,8000-9000  *      ssh",
        "",
      ].join("\n"),
    );
    assert.match(await ok("acl test add box db:22"), /expects allow box -> db:22 tcp/);
    assert.match(await ok("acl test run"), /^0 +holds +allow +box +db:22/m);
    const refused = await pulse("acl", "remove", "1");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /breaks what is expected of the policy/);
    await ok("acl move 1 0");
    await ok("acl remove 0 --force");
    const broken = await pulse("acl", "test", "run");
    assert.equal(broken.code, 1);
    assert.match(broken.stdout, /^0 +BROKEN .*no rule allows it/m);
    await ok("acl test remove 0");
    assert.match(await ok("acl test run"), /nothing is expected/);
    const none = await pulse("acl", "remove", "7");
    assert.match(none.stderr, /7 is not the number of a rule: use 0 to 0/);
    const odd = await pulse("acl", "add", "--ports", "22-");
    assert.match(odd.stderr, /"22-" is not a port/);
  }));

Deno.test("an explanation shows the deciding rule, why the others did not match, and every hop", () =>
  withLab(async ({ ok, pulse }) => {
    await ok(`name ${server} db`);
    await ok("acl add --deny --from tag:x --proto udp");
    await ok("acl add --to db --ports 22");
    const text = await ok(`acl explain ${laptop} db:22`);
    const lines = text.split("\n");
    assert.match(lines[0] ?? "", /is allowed: rule 1: allow \* -> db ports 22/);
    assert.match(text, /rule 0: .*: no match: from, protocol/);
    assert.match(text, /rule 1: .*: matches and decides/);
    assert.match(text, new RegExp(`source +${laptop} +allowed \\(config 1\\.3\\)`));
    assert.match(text, new RegExp(`relay +${scribeId} +allowed`));
    assert.match(text, new RegExp(`destination +${server} +allowed`));
    assert.match(await ok(`acl explain ${laptop} db --proto icmp`), /is denied: no rule allows it/);
    assert.equal((await pulse("acl", "explain", laptop, "db")).code, 2);
  }));

Deno.test("a difference shows what a rule would change before it is made", () =>
  withLab(async ({ ok }) => {
    await ok("acl add --ports 22");
    const text = await ok(`acl diff add --deny --from ${laptop} --to ${server} --at 0`);
    assert.match(text, new RegExp(`^denied +${laptop} +${server} +tcp +22 +0 +0$`, "m"));
    assert.match(await ok("acl diff move 0 0"), /nothing that is there would be treated otherwise/);
    assert.match(await ok("acl diff remove 0"), /^allowed /m);
    assert.match(await ok("acl list"), /^0 +allow/m);
  }));

Deno.test("records, routes and templates come and go", () =>
  withLab(async ({ ok, pulse }) => {
    assert.match(await ok("dns list"), /no DNS records/);
    await ok("dns add db 10.0.0.1");
    await ok("dns add --type CNAME --ttl 60 www db.pulse");
    assert.match(await ok("dns list"), /^db\.pulse +A +10\.0\.0\.1 +300\nwww\.pulse +CNAME/m);
    await ok("dns remove www");
    const gone = await pulse("dns", "remove", "www");
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /www\.pulse has no record/);
    assert.match(await ok("route list"), /no routes/);
    await ok(`route add 10.7.1.1/16 via ${laptop}`);
    assert.match(await ok("route list"), /^10\.7\.0\.0\/16 +1{32} +not announced +-$/m);
    await ok("route remove 10.7.0.0/16");
    assert.match(await ok("template list"), /no templates/);
    await ok("template set site log-level=debug");
    assert.match(await ok("template list"), /^site +log-level=debug$/m);
    await ok("template remove site");
    assert.equal((await pulse("template", "set", "site", "nonsense")).code, 2);
    assert.equal((await pulse("template", "set", "site", "a=1", "a=2")).code, 2);
  }));

Deno.test("the config is shown, its versions listed and compared, and an old one comes back", () =>
  withLab(async ({ ok, pulse }) => {
    assert.match(await ok("config history"), /no versions/);
    const nothing = await ok("config show");
    await ok(`name ${laptop} box`);
    await ok(`name ${laptop} other`);
    await ok(`revoke ${server} --reason stolen`);
    assert.match(nothing, /^Version +none yet \(this node is the scribe\)\nMesh CIDR/);
    assert.match(await ok("config show"), /^Version +1\.3$/m);
    assert.match(
      await ok("config history -n 2"),
      /^1\.3 +\S+ +local +22222222 revoked: stolen\n1\.2 /m,
    );
    const changes = await ok("config diff 1.1 1.2");
    assert.equal(changes, `nodes.${laptop}.name\n  - "box"\n  + "other"\n`);
    assert.match(await ok("config rollback 1.1"), /back to version 1\.1 \(version 1\.4\)/);
    assert.match(await ok("config diff 1.1"), /^revoked\./m);
    await ok(`unrevoke ${server}`);
    assert.equal(await ok("config diff 1.1"), "no difference\n");
    assert.equal((await pulse("config", "rollback", "1.99")).code, 1);
  }));

Deno.test("tokens of the network are made, listed with what they give, and withdrawn", () =>
  withLab(async ({ pulse, ok, mesh }) => {
    const made = await pulse(
      ..."token create --ttl 1h --tag ci --name runner --ephemeral 10m".split(" "),
    );
    assert.match(made.stdout, /^[0-9a-f]{64}\n$/);
    assert.match(made.stderr, /one node, expires/);
    assert.match(made.stderr, /the CA has not confirmed it yet/);
    const list = await ok("token list");
    assert.match(list, /valid +\?\/1 .*name:runner tag:ci ephemeral:10m/);
    const { id = "" } = mesh.body.tokens[0] ?? {};
    assert.equal(await ok(`token revoke ${id.slice(0, 8)}`), `token ${id} revoked\n`);
    assert.match(await ok("token list"), /no join tokens/);
    mesh.uses = new Map();
    assert.doesNotMatch((await pulse("token", "create")).stderr, /confirmed/);
    for (const { id } of mesh.body.tokens) mesh.uses.set(id, { uses: 3, status: "valid" });
    assert.match(await ok("token list"), /valid +3 /);
  }));

Deno.test("an invite of the scribe names where to join, and promises what a token does", () =>
  withLab(async ({ pulse, mesh }) => {
    const relays = ["--relay", "r1.example:443", "--relay", "r2.example:8443"];
    const made = await pulse("invite", "--tag", "ci", "--name", "runner", ...relays);
    assert.equal(made.code, 0, made.stderr);
    const { network, token, relays: doors } = decodeInvite(made.stdout.trim());
    assert.deepEqual([network, doors], ["corp", ["r1.example:443", "r2.example:8443"]]);
    const [entry] = mesh.body.tokens;
    assert.deepEqual([entry?.id, entry?.tags, entry?.name, entry?.maxUses], [
      joinTokenId(token),
      ["ci"],
      "runner",
      1,
    ]);
    assert.match(made.stderr, /^for 1 node\(s\), network corp, through r1.example:443, r2/);
  }));

Deno.test("what a node was told and what it said is shown, and a failure is exit code 1", () =>
  withLab(async ({ pulse, ok, mesh }) => {
    mesh.answer = async (node, far) => {
      await far.read();
      const answer = node === server
        ? { ok: false, code: "REMOTE_SETTING_INVALID", error: "cannot be set\u001b[2J" }
        : { ok: true, detail: "restarting" };
      await far.write(new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
      await far.closeWrite();
    };
    assert.equal(await ok(`restart ${laptop}`), `${laptop}  restarting\n`);
    await ok(`tag ${laptop} site`);
    await ok(`tag ${server} site/b`);
    const all = await pulse("bulk", "site", "restart");
    assert.equal(all.code, 1);
    assert.match(all.stdout, new RegExp(`^${laptop}  restarting$`, "m"));
    assert.match(all.stdout, new RegExp(`^${server}  failed: cannot be set`, "m"));
    // deno-lint-ignore no-control-regex -- what a node says must not act on the terminal
    assert.doesNotMatch(all.stdout, /\u001b/);
    assert.equal((await pulse("remote-config", "--node", server, "log-level=debug")).code, 1);
    assert.equal((await pulse("bulk", "site", "config")).code, 2);
    assert.equal((await pulse("bulk", "nobody", "restart")).code, 1);
  }));

Deno.test("a node that is not the scribe says where to go", () =>
  withLab(async ({ pulse, mesh }) => {
    mesh.scribe = false;
    const refused = await pulse("tag", laptop, "x", "--json");
    assert.equal(refused.code, 1);
    assert.equal(JSON.parse(refused.stderr).code, "NETCONFIG_NOT_SCRIBE");
  }));
