import assert from "node:assert/strict";
import { join } from "node:path";
import { ApiKeyStore } from "../core/control/api_key_store.ts";
import { serveControl } from "../core/control/server.ts";
import { sampleControl } from "../core/control/testing.ts";
import type { NodeControl } from "../core/control/types.ts";
import { version } from "../core/version.ts";
import { runCli } from "./run_cli.ts";
import { testIo } from "./testing.ts";

/** Runs one command against a node made of its answers. */
async function against(changes: Partial<NodeControl>, ...args: string[]) {
  const dir = await Deno.makeTempDir();
  try {
    await using _server = await serveControl({
      socketPath: join(dir, "pulse.sock"),
      control: sampleControl(changes),
      apiKeys: new ApiKeyStore(join(dir, "api-keys.json"), () => Date.now()),
      log: () => {},
    });
    const io = testIo();
    const code = await runCli([...args, "--data-dir", dir], io);
    return { code, stdout: io.out.join(""), stderr: io.errors.join("") };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("the version is printed in each of its spellings", async () => {
  for (const args of [["version"], ["--version"], ["-v"]]) {
    const io = testIo();
    assert.equal(await runCli(args, io), 0);
    assert.deepEqual(io.out, [`pulse ${version}\n`]);
  }
  const io = testIo();
  assert.equal(await runCli(["version", "--json"], io), 0);
  assert.equal(JSON.parse(io.out.join("")).pulse, version);
});

Deno.test("help goes to stdout with code 0, misuse to stderr with code 2", async () => {
  const help = testIo();
  assert.equal(await runCli(["--help"], help), 0);
  assert.match(help.out.join(""), /pulse COMMAND/);
  const misuse = testIo();
  assert.equal(await runCli(["stauts"], misuse), 2);
  assert.deepEqual(misuse.out, [""]);
  assert.match(misuse.errors.join(""), /did you mean "pulse status"/);
});

Deno.test("without a daemon the code is 3, and with --json the error is one line of JSON", async () => {
  const io = testIo({ home: "/nonexistent/home" });
  assert.equal(await runCli(["status", "--json"], io), 3);
  const error = JSON.parse(io.errors.join(""));
  assert.equal(error.code, "PULSE_NOT_RUNNING");
  assert.equal(error.fields.path, "/nonexistent/home/.pulse/pulse.sock");
  const usage = testIo();
  assert.equal(await runCli(["--json", "stauts"], usage), 2);
  assert.equal(JSON.parse(usage.errors.join("")).code, "USAGE");
});

Deno.test("status, permissions and their JSON come from the daemon", async () => {
  const status = await against({}, "status");
  assert.equal(status.code, 0);
  assert.match(status.stdout, /^Node 4353db8f/);
  const json = await against({}, "status", "--json");
  assert.equal(JSON.parse(json.stdout).self.network, "corp");
  const permissions = await against({}, "permissions");
  assert.match(permissions.stdout, /^no +ffi +denied$/m);
});

Deno.test("what a node sends cannot act on the terminal of whoever asks", async () => {
  const { stdout } = await against({
    probePermissions: () =>
      Promise.resolve([{ what: "x\x1b]0;title\x07", allowed: true, detail: "a\r\nb\u202e" }]),
  }, "permissions");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  assert.equal(stdout.split("\n").length, 3);
});

Deno.test("on a node that is no CA the CA's commands say where to run them", async () => {
  for (const args of [["ca", "log"], ["ca", "nodes"]]) {
    const { code, stderr } = await against({}, ...args);
    assert.equal(code, 1);
    assert.match(stderr, /^pulse: This node is not the network's CA; run this on the node/);
  }
  for (
    const args of [["token", "list"], ["token", "create"], ["token", "revoke", "a"], ["invite"]]
  ) {
    const { code, stderr } = await against({}, ...args);
    assert.equal(code, 1);
    assert.match(stderr, /^pulse: This node is neither the network's scribe nor its CA; run this/);
  }
});

Deno.test("the CA's log is read page by page, oldest first, and a broken chain is a failure", async () => {
  const asked: string[] = [];
  const changes: Partial<NodeControl> = {
    pluginRoutes: () => [{
      method: "GET",
      path: "/ca/log",
      summary: "",
      handle: ({ query }) => {
        asked.push(new URLSearchParams(query).toString());
        const before = Number(query["before"] ?? 1_501);
        const limit = Number(query["limit"]);
        const entries = Array.from({ length: Math.min(limit, before - 1) }, (_, i) => ({
          seq: before - 1 - i,
          at: "2026-01-01T00:00:00Z",
          type: "join_refused",
          fields: { reason: `r\n${before - 1 - i}` },
        }));
        const verdict = query["verify"] === "true"
          ? { entries: 1_500, brokenAt: 7, reason: "hash" }
          : null;
        return Promise.resolve({ status: 200, body: { entries, head: "ab", verdict } });
      },
    }],
  };
  const { code, stdout, stderr } = await against(changes, "ca", "log", "-n", "1200", "--verify");
  assert.equal(code, 1);
  assert.match(stderr, /does not hold at entry 7: hash/);
  assert.deepEqual(asked, ["limit=1000&verify=true", "limit=200&before=501"]);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 1_201);
  assert.match(lines[0] ?? "", /^ {2}301 2026-01-01T00:00:00Z join_refused reason=r\\n301$/);
  assert.match(lines[1_199] ?? "", /^ 1500 /);
});

Deno.test("logs without a log say so, and show both files when one is not enough", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const none = testIo();
    assert.equal(await runCli(["logs", "--data-dir", dir], none), 1);
    assert.match(none.errors.join(""), /There is no log at/);
    const line = (n: number) =>
      `{"ts":"2026-01-02T03:04:05.006Z","level":"info","component":"","msg":"line ${n}"}\n`;
    await Deno.writeTextFile(join(dir, "pulse.log.1"), line(1) + line(2));
    await Deno.writeTextFile(join(dir, "pulse.log"), line(3));
    const some = testIo();
    assert.equal(await runCli(["logs", "-n", "2", "--data-dir", dir], some), 0);
    assert.match(some.out.join(""), /INFO {2}line 2\n.*INFO {2}line 3\n$/);
    const json = testIo();
    assert.equal(await runCli(["logs", "-n", "1", "--json", "--data-dir", dir], json), 0);
    assert.equal(json.out.join(""), line(3));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a token file is read instead of a flag that everybody can see", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const file = join(dir, "token");
    await Deno.writeTextFile(file, "\n");
    const run = async (...args: string[]) => {
      const io = testIo();
      const code = await runCli(["join", "r:1", ...args, "--data-dir", dir], io);
      return { code, stderr: io.errors.join("") };
    };
    const empty = await run("--token-file", file);
    assert.equal(empty.code, 2);
    assert.match(empty.stderr, /is empty/);
    const both = await run("--token-file", file, "--token", "t");
    assert.match(both.stderr, /give one of them/);
    assert.match((await run("--token-file", join(dir, "none"))).stderr, /cannot be read/);
    assert.match((await run()).stderr, /a token is needed/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
