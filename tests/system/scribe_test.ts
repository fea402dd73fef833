import assert from "node:assert/strict";
import { join } from "node:path";
import type { StatusReport } from "../../core/control/types.ts";
import { eventually, runCli } from "../lab/mod.ts";

const masterToken = "a-master-token-that-nobody-may-see";
const quiet = ["--listen", "127.0.0.1:0"];

/** Daemons on loopback, each in a directory of its own; all are stopped in the end. */
class Mesh implements AsyncDisposable {
  readonly #dir: string;
  readonly #used = new Set<string>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async make(): Promise<Mesh> {
    return new Mesh(await Deno.makeTempDir({ prefix: "pulse-scribe-system-" }));
  }

  async pulse(name: string, ...args: string[]) {
    const dataDir = join(this.#dir, name);
    this.#used.add(dataDir);
    return await runCli({ args, dataDir });
  }

  /** The same, when all goes well. */
  async ok(name: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.pulse(name, ...args);
    assert.equal(code, 0, `${name} ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async status(name: string): Promise<StatusReport> {
    return JSON.parse(await this.ok(name, "status", "--json"));
  }

  /** Waits for what a node's status is to show. */
  async shows(name: string, what: string, check: (report: StatusReport) => boolean): Promise<void> {
    await eventually(async () => check(await this.status(name)), { what: `${name}: ${what}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const dataDir of this.#used) {
      const { code, stderr } = await runCli({ args: ["stop"], dataDir });
      assert.ok(code === 0 || code === 3, stderr);
    }
    await Deno.remove(this.#dir, { recursive: true });
  }
}

interface Listed {
  readonly id: string;
  readonly uses: number;
  readonly tags?: readonly string[];
  readonly master?: boolean;
}

const named = (name: string) => ({ self, peers }: StatusReport) =>
  [self, ...peers].some((node) => node.name === name);

Deno.test("with the CA on one node and the scribe on another, a token's node has its tags and name, is commanded, restarted and revoked", async () => {
  await using mesh = await Mesh.make();
  await mesh.ok("ca", "start", "--ca", "--token", masterToken, ...quiet);
  const [address = ""] = (await mesh.status("ca")).self.addresses;
  assert.match(address, /^127\.0\.0\.1:\d+$/);

  const asScribe = ["--scribe", "--join", address, "--token", masterToken, "--addr", "none"];
  await mesh.ok("scribe", "start", ...asScribe, ...quiet, address);
  await eventually(
    async () => (await mesh.pulse("scribe", "template", "set", "ci", "log-level=debug")).code === 0,
    { what: "the CA grants the role to the first who asks" },
  );

  // The scribe is behind no address: its invite sends newcomers to the CA, which knows the token by then.
  const invite = (await mesh.ok("scribe", "invite", "--tag", "ci", "--name", "runner")).trim();
  const { self: { id: scribe } } = await mesh.status("scribe");
  await mesh.ok("member", "join", invite);
  assert.match(await mesh.ok("scribe", "token", "list"), /^\S+ +used +1\/1 .* name:runner tag:ci/m);
  const secondUse = await mesh.pulse("late", "join", invite);
  assert.equal(secondUse.code, 1);
  assert.match(secondUse.stderr, /token already used/);
  await mesh.ok("member", "start", "--addr", "none", ...quiet, address);
  await mesh.shows(
    "member",
    "its name and tag",
    ({ self }) => self.name === "runner" && self.tags.includes("ci"),
  );
  await mesh.shows("ca", "the name", named("runner"));
  assert.match(await mesh.ok("scribe", "groups"), /^ci +1$/m);

  await mesh.ok("scribe", "name", scribe, "desk");
  await mesh.shows("member", "the scribe's name", named("desk"));
  const elsewhere = await mesh.pulse("ca", "tag", "runner", "x");
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /not the network's scribe/);

  // Neither links to the other: what follows goes through the CA.
  await mesh.shows("scribe", "the member", named("runner"));
  const pushed = await mesh.ok("scribe", "bulk", "ci", "push_config");
  assert.match(pushed, /log-level is debug/);
  const before = (await mesh.status("member")).self.pid;
  await mesh.ok("scribe", "restart", "runner");
  await eventually(async () => {
    const { code, stdout } = await mesh.pulse("member", "status", "--json");
    const report: StatusReport | undefined = code === 0 ? JSON.parse(stdout) : undefined;
    return report !== undefined && report.self.pid !== before;
  }, { what: "the member is back" });

  await mesh.shows("scribe", "the member again", named("runner"));
  await eventually(async () => {
    const explained = await mesh.ok("scribe", "acl", "explain", "runner", "desk:22");
    return /^ {2}relay /m.test(explained);
  }, { what: "the path back through the CA is explained" });
  await mesh.ok("scribe", "revoke", "runner", "--reason", "test");
  await mesh.shows(
    "ca",
    "no member any more",
    ({ peers }) => peers.every((peer) => peer.name !== "runner"),
  );
  const history = await mesh.ok("scribe", "config", "history");
  assert.match(history, / revoked: test$/m);
});

Deno.test("where one node is both CA and scribe, a new token is good at once, is listed and withdrawn with the CA's own, and all that the config says outlives a restart", async () => {
  await using mesh = await Mesh.make();
  await mesh.ok("hub", "start", "--ca", "--scribe", "--token", masterToken, ...quiet);
  const [address = ""] = (await mesh.status("hub")).self.addresses;
  await eventually(
    async () => (await mesh.pulse("hub", "template", "set", "ci", "log-level=debug")).code === 0,
    { what: "the CA grants itself the role" },
  );
  const made = JSON.parse(await mesh.ok("hub", "token", "create", "--tag", "ci", "--json"));
  assert.equal(made.knownToCa, true);
  await mesh.ok("member", "join", address, "--token", made.token);
  const { tokens } = JSON.parse(await mesh.ok("hub", "token", "list", "--json"));
  assert.deepEqual(
    tokens.map(({ id, uses, tags, master = false }: Listed) => [id === made.id, uses, tags, master])
      .sort(),
    [[false, 0, undefined, true], [true, 1, ["ci"], false]],
  );
  for (
    const line of [
      "acl add --from * --to * --comment kept",
      "dns add db 10.0.0.7",
      `tag ${(await mesh.status("hub")).self.id} hub`,
      `name ${(await mesh.status("hub")).self.id} desk`,
    ]
  ) await mesh.ok("hub", ...line.split(" "));
  const config = async () => JSON.parse(await mesh.ok("hub", "config", "show", "--json")).body;
  const kept = await config();
  await mesh.ok("hub", "stop");
  await mesh.ok("hub", "start", "--ca", "--scribe", "--token", masterToken, ...quiet);
  assert.deepEqual(await config(), kept);
  const { acls, dns, templates, tokens: named } = kept;
  assert.deepEqual([acls.length, dns.length, Object.keys(templates), named.length], [
    1,
    1,
    ["ci"],
    1,
  ]);
  await mesh.ok("hub", "token", "revoke", made.id);
  const late = await mesh.pulse("late", "join", address, "--token", made.token);
  assert.equal(late.code, 1);
  const audit = await mesh.ok("hub", "audit");
  assert.match(audit, /POST \/api\/tokens -> 201 body=\{"tags":\["ci"\]\}$/m);
  assert.match(audit, new RegExp(`DELETE /api/tokens/${made.id} -> 200`));
  assert.match(audit, /change local from this machine .*change=token_created/);
  assert.ok(!audit.includes(made.token));
});
