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

  const token = (await mesh.ok(
    "scribe",
    ...["token", "create", "--max-uses", "1", "--tag", "ci", "--name", "runner"],
  )).trim();
  const { self: { id: scribe } } = await mesh.status("scribe");
  // The token has to reach the CA before anybody can join with it.
  await eventually(
    async () => (await mesh.pulse("member", "join", address, "--token", token)).code === 0,
    { what: "the token is good at the CA" },
  );
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
