import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../core/clock/clock.ts";
import { serveControl } from "../../core/control/server.ts";
import { noApiKeys, sampleControl } from "../../core/control/testing.ts";
import { History } from "../../core/history/mod.ts";
import { runCli } from "../run_cli.ts";
import { testIo } from "../testing.ts";

const self = "4353db8f32bad58020c6d3c9238f80c2";
const peer = "ab".repeat(16);

interface Scene {
  readonly history: History;
  readonly dir: string;
  cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** A node with a real history behind its control socket. */
async function withNode(run: (scene: Scene) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-history-" });
  try {
    using history = new History({
      dataDir: dir,
      self,
      clock: systemClock,
      log: () => {},
      resolveNode: (text) => peer.startsWith(text) ? peer : text,
      askNode: (node, query) =>
        Promise.resolve({
          node,
          resolution: query.resolution ?? "1h",
          series: [],
          truncated: false,
        }),
    });
    await using _server = await serveControl({
      socketPath: join(dir, "pulse.sock"),
      control: sampleControl({ history }),
      apiKeys: noApiKeys(),
      log: () => {},
    });
    await run({
      history,
      dir,
      cli: async (...args) => {
        const io = testIo();
        const code = await runCli([...args, "--data-dir", dir], io);
        return { code, stdout: io.out.join(""), stderr: io.errors.join("") };
      },
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("events are lines in the order they happened, escaped, or JSON one by one", () =>
  withNode(async ({ history, cli }) => {
    history.event("startup", { detail: "0.1.0" });
    history.event("link_up", { node: peer, detail: "quic" });
    history.event("join_failed", { error: "bad\x1b[2J", via: "x" });
    const lines = (await cli("events")).stdout.trimEnd().split("\n");
    assert.equal(lines.length, 3);
    assert.match(lines[0]!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ startup +- +0\.1\.0$/);
    assert.match(lines[1]!, /link_up +abababab quic$/);
    assert.match(lines[2]!, /error: bad\\x1b\[2J via=x$/);
    const one = await cli("events", "--json", "--node", "abab", "--type", "link_up");
    assert.equal(JSON.parse(one.stdout).node, peer);
    const last = await cli("events", "-n", "1", "--since", "1h", "--json");
    assert.equal(JSON.parse(last.stdout).type, "join_failed");
    assert.equal(
      (await cli("events", "--since", "2020-01-01", "-n", "2")).stdout.split("\n").length,
      3,
    );
    assert.equal((await cli("events", "--since", "later")).code, 2);
  }));

Deno.test("events are followed without one lost or repeated, until the one who asked is interrupted", () =>
  withNode(async ({ history, dir }) => {
    for (let i = 0; i < 5; i++) history.event("x", { detail: `${i}` });
    const seen: string[] = [];
    const reached = new Map([3, 6].map((count) => [count, Promise.withResolvers<void>()]));
    const io = testIo({
      stdout: (text) => {
        seen.push(JSON.parse(text).detail);
        reached.get(seen.length)?.resolve();
      },
    });
    const running = runCli(["events", "-f", "-n", "3", "--json", "--data-dir", dir], io);
    await reached.get(3)?.promise;
    for (let i = 5; i < 8; i++) history.event("x", { detail: `${i}` });
    await reached.get(6)?.promise;
    io.interrupt.abort();
    assert.equal(await running, 0);
    assert.deepEqual(seen, ["2", "3", "4", "5", "6", "7"]);
  }));

Deno.test("following ends with an error when the node stops", () =>
  withNode(async ({ history, dir }) => {
    history.event("x", {});
    let lines = 0;
    const io = testIo({
      stdout: () => {
        // The first line is of the past; the second can only come through the stream.
        if (++lines === 1) history.event("x", {});
        else queueMicrotask(() => history[Symbol.dispose]());
      },
    });
    assert.equal(await runCli(["events", "-f", "--data-dir", dir], io), 1);
    assert.match(io.errors.join(""), /it is stopping/);
  }));

Deno.test("statistics are a table with sums, means and a line of bars", () =>
  withNode(async ({ history, cli }) => {
    assert.match((await cli("stats")).stdout, /measured nothing/);
    for (const [latencyMs, bytesIn] of [[10, 1_000], [20, 3_048]] as const) {
      history.sample([
        { peer, latencyMs, loss: 0.5, bytesIn, bytesOut: 100, path: "quic" },
        {
          peer: "cd".repeat(16),
          latencyMs: null,
          loss: 0,
          bytesIn: 0,
          bytesOut: 0,
          path: `via ${peer}`,
        },
      ]);
    }
    const { stdout } = await cli("stats");
    assert.match(stdout, /^node 4353db8f32bad58020c6d3c9238f80c2, points of 10s\n/);
    assert.match(stdout, /abababab +quic +15\.0ms +20\.0ms +50\.0% +3\.0 KiB +100 B +█/);
    assert.match(stdout, /cdcdcdcd +via abababab +- +- +0\.0%/);
    const json = JSON.parse((await cli("stats", "--peer", "abab", "--json")).stdout);
    assert.deepEqual(json.series.map((entry: { peer: string }) => entry.peer), [peer]);
    const far = JSON.parse((await cli("stats", "abab", "--since", "30d", "--json")).stdout);
    assert.deepEqual([far.node, far.resolution], [peer, "1h"]);
  }));

Deno.test("the audit log is shown and verified, and a broken one is exit code 1", () =>
  withNode(async ({ history, dir, cli }) => {
    for (let i = 0; i < 3; i++) {
      await history.recordAudit("api", {
        by: "local",
        from: "this machine",
        method: "POST",
        path: "/api/tokens",
        body: { ttl: `${i}h` },
        status: 201,
      });
    }
    const shown = await cli("audit", "--verify");
    assert.equal(shown.code, 0);
    const lines = shown.stdout.split("\n");
    assert.match(
      lines[0]!,
      /^1 \S+Z api local from this machine POST \/api\/tokens -> 201 body=\{"ttl":"0h"\}$/,
    );
    assert.match(lines[3]!, /^all 3 entries in order, 1 to 3; head [0-9a-f]{64}$/);
    assert.match((await cli("audit", "verify")).stdout, /^all 3 entries/);
    assert.equal(JSON.parse((await cli("audit", "verify", "--json")).stdout).verdict.entries, 3);
    const head = JSON.parse(await Deno.readTextFile(join(dir, "audit.head")));
    await history.recordAudit("api", {});
    // The next start finds a record of an entry that is not there.
    head.last.seq = 9;
    history[Symbol.dispose]();
    await Deno.writeTextFile(join(dir, "audit.head"), JSON.stringify(head));
    const broken = await withBroken(dir);
    assert.equal(broken.code, 1);
    assert.equal(JSON.parse(broken.stderr).code, "AUDIT_BROKEN");
  }));

/** The same directory after a restart. */
async function withBroken(dir: string): Promise<{ code: number; stderr: string }> {
  using history = new History({
    dataDir: dir,
    self,
    clock: systemClock,
    log: () => {},
    resolveNode: (text) => text,
    askNode: () => Promise.reject(new Error("not asked")),
  });
  const other = await Deno.makeTempDir({ prefix: "pulse-history-" });
  try {
    await using _server = await serveControl({
      socketPath: join(other, "pulse.sock"),
      control: sampleControl({ history }),
      apiKeys: noApiKeys(),
      log: () => {},
    });
    const io = testIo();
    const code = await runCli(["audit", "verify", "--json", "--data-dir", other], io);
    return { code, stderr: io.errors.join("") };
  } finally {
    await Deno.remove(other, { recursive: true });
  }
}
