import assert from "node:assert/strict";
import { join } from "node:path";
import { commandLine, fromSource, runCli } from "./cli.ts";
import { startDaemon, type StartDaemonOptions } from "./daemon.ts";
import { LogTail } from "./log_tail.ts";
import { Lab } from "./namespaces.ts";
import { isRunning } from "./processes.ts";
import { labTest } from "./requires.ts";

const tiny = [Deno.execPath(), "run", "-A", join(import.meta.dirname!, "fixtures/tiny_daemon.ts")];

async function withDataDir(fn: (options: StartDaemonOptions) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-lab-" });
  try {
    await fn({ args: ["start"], dataDir, command: tiny });
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

Deno.test("a started daemon answers, and ends with its scope", async () => {
  await withDataDir(async (options) => {
    let pid = 0;
    {
      await using daemon = await startDaemon(options);
      pid = daemon.pid;
      assert.equal((await daemon.status()).self.pid, pid);
      assert.deepEqual(await daemon.api("POST", "/api/echo", { a: 1 }), {
        status: 201,
        body: { a: 1 },
      });
      assert.deepEqual(await daemon.api("GET", "/x"), { status: 404, body: "no such thing" });
      assert.match(daemon.logs(), /tiny daemon starts/);
    }
    assert.equal(isRunning(pid), false);
  });
});

Deno.test("a daemon is stopped through its API and started again in the same data directory", async () => {
  await withDataDir(async (options) => {
    const first = await startDaemon(options);
    assert.equal((await first.stop("api")).code, 0);
    assert.equal(first.running, false);
    await using second = await startDaemon(options);
    assert.notEqual(second.pid, first.pid);
    await second.kill9();
    await second.kill9();
    await using third = await startDaemon(options);
    assert.equal(third.running, true);
  });
});

Deno.test("a daemon that ends during its start is reported at once, with its logs", async () => {
  await withDataDir(async (options) => {
    const start = startDaemon({ ...options, args: ["start", "--fail"] });
    await assert.rejects(start, /Not started: .*ended with code 3.*bad luck/s);
  });
});

Deno.test("a daemon that never answers is killed and reported with its logs", async () => {
  await withDataDir(async (options) => {
    const start = startDaemon({ ...options, args: ["start", "--deaf"], readyMs: 2000 });
    await assert.rejects(start, /control socket answers: not within 2000 ms.*tiny daemon starts/s);
  });
});

Deno.test("a daemon that does not stop is killed, and that is a failure", async () => {
  await withDataDir(async (options) => {
    const daemon = await startDaemon({ ...options, args: ["start", "--stubborn"] });
    await assert.rejects(daemon.stop("SIGTERM", 300), /Not stopped by SIGTERM.*tiny daemon/s);
    assert.equal(isRunning(daemon.pid), false);
  });
});

Deno.test("a crash that nobody noticed is noticed at the end of the test", async () => {
  await withDataDir(async (options) => {
    const daemon = await startDaemon(options);
    Deno.kill(daemon.pid, "SIGABRT");
    await assert.rejects(daemon[Symbol.asyncDispose](), /Badly ended: SIGABRT/);
    await daemon[Symbol.asyncDispose]();
  });
});

Deno.test("behind a launcher, the process that serves is the one meant, and none survives", async () => {
  await withDataDir(async (options) => {
    const daemon = await startDaemon({ ...options, args: ["start", "--launch"] });
    const inner = daemon.pid;
    assert.equal((await daemon.status()).self.pid, inner);
    await daemon.kill9();
    assert.equal(isRunning(inner), false);
    const again = await startDaemon({ ...options, args: ["start", "--launch"] });
    assert.equal((await again.stop()).code, 0);
    assert.equal(isRunning(again.pid), false);
  });
});

Deno.test("a failed wait shows what the daemon wrote, and ends when the daemon does", async () => {
  await withDataDir(async (options) => {
    await using daemon = await startDaemon(options);
    await assert.rejects(
      daemon.eventually("it snows", () => false, 50),
      /it snows: not within 50 ms.*tiny daemon starts/s,
    );
    const waiting = daemon.eventually("it snows", () => false);
    await Promise.all([
      assert.rejects(waiting, /In vain: The daemon has ended with SIGKILL/),
      daemon.kill9(),
    ]);
  });
});

labTest("a daemon in a namespace is reached from outside it", { namespaces: true }, async () => {
  await withDataDir(async (options) => {
    await using net = await Lab.create();
    const netns = await net.node("a");
    await using daemon = await startDaemon({ ...options, netns });
    const inside = await net.exec("a", "ip", "netns", "identify", `${daemon.pid}`);
    assert.equal(inside.trim(), netns);
  });
});

Deno.test("the data directory is given once, and the namespace comes first", () => {
  assert.deepEqual(commandLine({ args: ["id"], dataDir: "/d", command: ["p"] }), [
    "p",
    "id",
    "--data-dir",
    "/d",
  ]);
  const given = { args: ["id", "--data-dir=/e"], dataDir: "/d", command: ["p"], netns: "n" };
  assert.deepEqual(commandLine(given), ["ip", "netns", "exec", "n", "p", "id", "--data-dir=/e"]);
  assert.deepEqual(commandLine({ args: ["id"] }), [...fromSource, "id"]);
});

Deno.test("a command that ends gives its code and what it wrote", async () => {
  const command = ["sh", "-c", 'cat; echo "$X" >&2; exit 4'];
  const options = { stdin: "in" };
  assert.deepEqual(await runCli({ args: [], command, env: { X: "y" } }, options), {
    code: 4,
    stdout: "in",
    stderr: "y\n",
  });
  const late = runCli({ args: [], command: ["sleep", "600"] }, { timeoutMs: 50 });
  await assert.rejects(late, /not ended within 50 ms/);
});

Deno.test("a log keeps its end and says that it was cut", async () => {
  const tail = new LogTail(10);
  await tail.read(
    ReadableStream.from(["start ", "x".repeat(20), " end"]).pipeThrough(
      new TextEncoderStream(),
    ),
  );
  assert.match(tail.toString(), /^\[\.\.\.\]x+ end$/);
});
