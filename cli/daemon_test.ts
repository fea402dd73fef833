import assert from "node:assert/strict";
import { join } from "node:path";
import { openTunnel } from "../core/control/tunnel_client.ts";
import { dataFiles, type StatusReport } from "../core/control/types.ts";
import { connToStream } from "../core/streams/mod.ts";
import {
  type CliCall,
  commandLine,
  type CommandResult,
  eventually,
  runCli,
} from "../tests/lab/mod.ts";
import { isAlive, waitUntilGone } from "./launch/wait_until_gone.ts";

const token = "a-master-token-that-nobody-may-see";

/** A CA node on loopback that belongs to the test. */
const caFlags = ["--ca", "--token", token, "--listen", "127.0.0.1:0", "--log-level", "debug"];

interface Lab {
  readonly dir: string;
  /** Runs a command of pulse in `<dir>/<name>`. */
  pulse(name: string, ...args: string[]): Promise<CommandResult>;
}

/** Stops whatever was started in its directories. */
async function withLab(run: (lab: Lab) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-cli-" });
  const used = new Set<string>();
  try {
    await run({
      dir,
      pulse: (name, ...args) => {
        used.add(join(dir, name));
        return runCli({ args, dataDir: join(dir, name) });
      },
    });
  } finally {
    for (const dataDir of used) {
      const { code, stderr } = await runCli({ args: ["stop"], dataDir });
      assert.ok(code === 0 || code === 3, stderr);
    }
    await Deno.remove(dir, { recursive: true });
  }
}

const ok = (result: CommandResult): string => {
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
};

const pidOf = (started: string) => Number(/pid (\d+)/.exec(started)?.[1]);

Deno.test("a node starts, answers, is asked everything, and stops", async () => {
  await withLab(async ({ pulse, dir }) => {
    const started = ok(await pulse("a", "start", ...caFlags));
    assert.match(started, /^pulse started \(pid \d+, logs: .*\/a\/pulse\.log\)\n$/);
    const pid = pidOf(started);
    const line = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).replaceAll("\0", " ");
    assert.doesNotMatch(line, new RegExp(token));
    assert.match(line, /--deny-ffi/);

    const again = await pulse("a", "start", "--ca");
    assert.equal(again.code, 1);
    assert.match(again.stderr, new RegExp(`already running in .*/a \\(pid ${pid}\\)`));

    const report: StatusReport = JSON.parse(ok(await pulse("a", "status", "--json")));
    assert.equal(report.self.pid, pid);
    assert.match(ok(await pulse("a", "status")), /NODE ID .*LAST SEEN/);
    assert.match(ok(await pulse("a", "id")), new RegExp(`^${report.self.id} \\(mesh: 10\\.100\\.`));
    assert.match(ok(await pulse("a", "cert")), /^Status +valid$/m);
    assert.match(ok(await pulse("a", "permissions")), /^no +run a program/m);
    assert.match(ok(await pulse("a", "logs", "-n", "100")), /INFO .*node is up/);
    assert.match(ok(await pulse("a", "ca", "log", "--verify")), /all \d+ entries in order/);
    assert.match(ok(await pulse("a", "ca", "nodes")), new RegExp(report.self.id));
    assert.equal(await Deno.readTextFile(join(dir, "a", "pulse.out")), "");
    assert.doesNotMatch(await Deno.readTextFile(join(dir, "a", dataFiles.log)), new RegExp(token));

    assert.equal(ok(await pulse("a", "stop")), "pulse stopped\n");
    assert.equal(isAlive(pid), false);
    assert.equal((await pulse("a", "status")).code, 3);
    assert.equal((await pulse("a", "stop")).code, 3);
  });
});

Deno.test("tokens are made, listed and withdrawn, and a node that is no CA says where to go", async () => {
  await withLab(async ({ pulse }) => {
    ok(await pulse("a", "start", ...caFlags));
    const made = await pulse("a", "token", "create", "--ttl", "1h", "--max-uses", "2");
    const secret = ok(made).trim();
    const id = /token (\w+): 2 nodes, expires /.exec(made.stderr)?.[1] ?? "";
    const list = ok(await pulse("a", "token", "list"));
    assert.match(list, new RegExp(`^${id} +valid +0/2 +in 59m`, "m"));
    assert.doesNotMatch(list, new RegExp(secret));
    assert.equal(ok(await pulse("a", "token", "revoke", id.slice(0, 8))), `token ${id} revoked\n`);
    const bad = await pulse("a", "token", "create", "--ttl", "soon", "--json");
    assert.equal(bad.code, 1);
    assert.equal(JSON.parse(bad.stderr).code, "CA_REQUEST_INVALID");

    const code = ok(await pulse("a", "invite")).trim();
    assert.match(ok(await pulse("b", "join", code)), /^joined pulse as /);
    ok(await pulse("b", "start", "--listen", "127.0.0.1:0", "--addr", "none"));
    const elsewhere = await pulse("b", "token", "list");
    assert.equal(elsewhere.code, 1);
    assert.match(
      elsewhere.stderr,
      /neither the network's scribe nor its CA; run this on a node that was started with --scribe or/,
    );
  });
});

Deno.test("a node joins once, knows it, and joins no other network", async () => {
  await withLab(async ({ pulse }) => {
    ok(await pulse("a", "start", ...caFlags));
    ok(await pulse("other", "start", ...caFlags, "--network", "other"));
    const code = ok(await pulse("a", "invite", "--json"));
    const invite: { code: string; relays: string[] } = JSON.parse(code);
    const { stdout } = await pulse("b", "join", invite.code);
    assert.match(stdout, /^joined pulse as [0-9a-f]{32} \(mesh: 10\.100\./);
    const again = await pulse("b", "join", invite.code);
    assert.equal(ok(again), stdout.replace("joined", "already joined"));
    assert.match(ok(await pulse("b", "join", invite.relays[0] ?? "")), /^already joined/);
    const foreign = ok(await pulse("other", "invite")).trim();
    const refused = await pulse("b", "join", foreign);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /member of network pulse .* invite is for network other/);
    const used = await pulse("c", "join", invite.code);
    assert.equal(used.code, 1);
    assert.match(used.stderr, /refused/);
  });
});

Deno.test("a request signed offline makes a member", async () => {
  await withLab(async ({ pulse, dir }) => {
    ok(await pulse("a", "start", ...caFlags));
    const csr = join(dir, "node.csr");
    await Deno.writeTextFile(csr, ok(await pulse("b", "id", "--csr")));
    ok(await pulse("a", "ca", "sign", "--csr", csr, "--out", join(dir, "b")));
    assert.match(ok(await pulse("b", "cert")), /^Status +valid$/m);
  });
});

Deno.test("connect carries a question, its end, and the answer that comes after it", async () => {
  await withLab(async ({ pulse, dir }) => {
    using service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const served = (async () => {
      await using stream = connToStream(await service.accept());
      let total = 0;
      for (let chunk; (chunk = await stream.read()) !== null;) total += chunk.length;
      await stream.write(new TextEncoder().encode(`${total} bytes`));
      await stream.closeWrite();
    })();
    const port = String(service.addr.port);
    ok(await pulse("a", "start", ...caFlags, "--allow-local", port));
    const { self }: StatusReport = JSON.parse(ok(await pulse("a", "status", "--json")));
    const result = await runCli(
      { args: ["connect", self.id, `127.0.0.1:${port}`], dataDir: join(dir, "a") },
      { stdin: "x".repeat(300_000) },
    );
    assert.equal(ok(result), "300000 bytes");
    await served;

    const refused = await pulse(
      "a",
      "connect",
      "--node",
      self.id,
      "--dest",
      "127.0.0.1:9",
      "--json",
    );
    assert.equal(refused.code, 1);
    assert.equal(JSON.parse(refused.stderr).code, "STREAM_DENIED");
    assert.equal((await pulse("a", "connect", "nobody", "x:1")).code, 1);
    assert.equal((await pulse("a", "connect", self.id, "nowhere")).code, 2);
    assert.equal((await pulse("b", "connect", self.id, "x:1")).code, 3);
  });
});

Deno.test("forward carries each connection to the target until it is interrupted", async () => {
  await withLab(async ({ pulse, dir }) => {
    using service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const served = (async () => {
      for (let n = 0; n < 2; n++) {
        using conn = await service.accept();
        await conn.write(Uint8Array.of(n));
      }
    })();
    const port = String(service.addr.port);
    ok(await pulse("a", "start", ...caFlags, "--allow-local", port));
    const { self }: StatusReport = JSON.parse(ok(await pulse("a", "status", "--json")));
    const target = `127.0.0.1:${port}`;
    const args = ["forward", "--node", self.id, "--dest", target, "--local", ":0", "--json"];
    const child = spawn({ args, dataDir: join(dir, "a") });
    const reader = child.stdout.getReader();
    const { local } = JSON.parse(new TextDecoder().decode((await reader.read()).value));
    for (let n = 0; n < 2; n++) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(local.split(":")[1]) });
      const buffer = new Uint8Array(8);
      assert.equal(await conn.read(buffer), 1);
      assert.equal(buffer[0], n);
      assert.equal(await conn.read(buffer), null);
    }
    await served;
    child.kill("SIGINT");
    const stderr = await new Response(child.stderr).text();
    assert.equal((await child.status).code, 0, stderr);
    await reader.cancel();
  });
});

Deno.test("the TCP tunnel listener opens with the local token and not without", async () => {
  await withLab(async ({ pulse, dir }) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const free = taken.addr.port;
    taken.close();
    ok(await pulse("a", "start", ...caFlags, "--tcp", `:${free}`, "--allow-local", "all"));
    const { self }: StatusReport = JSON.parse(ok(await pulse("a", "status", "--json")));
    using service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const request = { node: self.id, target: `127.0.0.1:${service.addr.port}` };
    const endpoint = { hostname: "127.0.0.1", port: free };
    await assert.rejects(openTunnel(endpoint, request), { code: "TUNNEL_DENIED" });
    const secret = (await Deno.readTextFile(join(dir, "a", dataFiles.localToken))).trim();
    const { stream } = await openTunnel(endpoint, { ...request, token: secret });
    (await service.accept()).close();
    assert.equal(await stream.read(), null);
    stream.reset();
  });
});

Deno.test("a start that fails shows why, with the daemon's last words", async () => {
  await withLab(async ({ pulse }) => {
    const stranger = await pulse("a", "start", "--listen", "127.0.0.1:0");
    assert.equal(stranger.code, 1);
    assert.match(stranger.stderr, /ended with code 1\. Its last words:\n {2}.*ERROR.*not joined/);
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const at = `127.0.0.1:${taken.addr.port}`;
    const busy = await pulse("b", "start", "--ca", "--listen", at, "--json");
    assert.equal(busy.code, 1);
    const { code, error } = JSON.parse(busy.stderr);
    assert.equal(code, "START_FAILED");
    assert.match(error, new RegExp(`LISTEN_FAILED|${at}`));
    const usage = await pulse("b", "start", "--relay-only", "--ca");
    assert.equal(usage.code, 2);
    assert.match(usage.stderr, /relay-only node/);
  });
});

Deno.test("a node that is told to restart comes back by itself as the same node, and stops for good when it is stopped", async () => {
  await withLab(async ({ pulse }) => {
    const first = pidOf(ok(await pulse("a", "start", ...caFlags)));
    const before: StatusReport = JSON.parse(ok(await pulse("a", "status", "--json")));
    Deno.kill(first, "SIGHUP");
    const after = await eventually(async () => {
      const { code, stdout } = await pulse("a", "status", "--json");
      const report: StatusReport | undefined = code === 0 ? JSON.parse(stdout) : undefined;
      return report?.self.pid !== first && report;
    }, { what: "the node is back" });
    assert.equal(after.self.id, before.self.id);
    assert.equal(isAlive(first), false);
    const supervisor = await parentOf(after.self.pid);
    ok(await pulse("a", "stop"));
    assert.equal(await waitUntilGone(after.self.pid, 20_000), true);
    assert.equal(await waitUntilGone(supervisor, 20_000), true);
    assert.equal((await pulse("a", "status")).code, 3);
  });
});

Deno.test("in the foreground a node that is told to restart comes back under the same launcher", async () => {
  await withLab(async ({ pulse, dir }) => {
    const child = spawn({ args: [...caFlags, "--log-format", "json"], dataDir: join(dir, "a") });
    const drained = Promise.all([
      child.stderr.pipeTo(new WritableStream()),
      child.stdout.pipeTo(new WritableStream()),
    ]);
    const pid = async (not?: number) =>
      await eventually(async () => {
        const { code, stdout } = await pulse("a", "status", "--json");
        const report: StatusReport | undefined = code === 0 ? JSON.parse(stdout) : undefined;
        return report?.self.pid !== not && report?.self.pid;
      }, { what: "the node answers" });
    const first = await pid();
    Deno.kill(first, "SIGHUP");
    const second = await pid(first);
    assert.equal(await parentOf(second), child.pid);
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 0);
    assert.equal(await waitUntilGone(second, 20_000), true);
    await drained;
  });
});

Deno.test("in the foreground the log is on stderr, an interrupt ends the node in order, and the node does not outlive its launcher", async () => {
  await withLab(async ({ pulse, dir }) => {
    for (const end of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
      const child = spawn({ args: [...caFlags, "--log-format", "json"], dataDir: join(dir, "a") });
      const lines = child.stderr.pipeThrough(new TextDecoderStream());
      const reader = lines.getReader();
      for (let seen = ""; !seen.includes("node is up");) {
        const { value, done } = await reader.read();
        assert.equal(done, false, seen);
        seen += value ?? "";
      }
      const started = await pulse("a", "status", "--json");
      const report: StatusReport | undefined = started.code === 0
        ? JSON.parse(started.stdout)
        : undefined;
      child.kill(end);
      const { code } = await child.status;
      assert.equal(code, end === "SIGKILL" ? 137 : 0, end);
      if (report !== undefined) assert.equal(await waitUntilGone(report.self.pid, 20_000), true);
      await Promise.all([reader.cancel(), child.stdout.cancel()]);
    }
  });
});

async function parentOf(pid: number): Promise<number> {
  return Number(/^PPid:\s+(\d+)$/m.exec(await Deno.readTextFile(`/proc/${pid}/status`))?.[1]);
}

function spawn(call: CliCall): Deno.ChildProcess {
  const [program = "", ...args] = commandLine(call);
  return new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}
