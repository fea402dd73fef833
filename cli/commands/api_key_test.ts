import assert from "node:assert/strict";
import { join } from "node:path";
import { ApiKeyStore } from "../../core/control/api_key_store.ts";
import { serveControl } from "../../core/control/server.ts";
import { sampleControl } from "../../core/control/testing.ts";
import { runCli } from "../run_cli.ts";
import { testIo } from "../testing.ts";

type Run = (
  ...args: string[]
) => Promise<{ code: number; stdout: string; stderr: string }>;

async function withNode(run: (cli: Run, keys: ApiKeyStore) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const apiKeys = new ApiKeyStore(join(dir, "api-keys.json"), () => Date.now());
    const socketPath = join(dir, "pulse.sock");
    await using _server = await serveControl({
      socketPath,
      control: sampleControl(),
      apiKeys,
      log: () => {},
    });
    await run(async (...args) => {
      const io = testIo();
      const code = await runCli(["api-key", ...args, "--data-dir", dir], io);
      return { code, stdout: io.out.join(""), stderr: io.errors.join("") };
    }, apiKeys);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a key is made, listed, replaced and withdrawn, and shown only when it is made", async () => {
  await withNode(async (cli, keys) => {
    assert.match((await cli("list")).stdout, /no API keys/);
    const made = await cli("create", "--read-only", "--name", "grafana");
    assert.match(made.stderr, /may look; it is not shown again/);
    const key = made.stdout.trim();
    const id = (await keys.authenticate(key))?.id ?? "";
    const list = await cli("list");
    assert.match(list.stdout, new RegExp(`${id} +read +grafana +\\d+s ago +- `));
    assert.equal(list.stdout.includes(key), false);
    const next = JSON.parse((await cli("rotate", id, "--overlap", "0s", "--json")).stdout);
    assert.equal(next.name, "grafana");
    assert.equal(await keys.authenticate(key), undefined);
    assert.equal((await keys.authenticate(next.key))?.role, "read");
    assert.match((await cli("revoke", next.id)).stdout, /revoked/);
    assert.deepEqual(JSON.parse((await cli("list", "--json")).stdout), { keys: [] });
  });
});

Deno.test("an id that is none, an unknown one, and a time without a unit are refused", async () => {
  await withNode(async (cli, keys) => {
    const unknown = await cli("revoke", "0123456789ab");
    assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
    assert.match(unknown.stderr, /no API key with the id/);
    assert.equal((await cli("revoke", "../x")).code, 1);
    const { id } = await keys.create("", "admin");
    assert.equal((await cli("rotate", id, "--overlap", "5")).code, 2);
    assert.equal((await cli("create", "--name", "a\u001b[2J")).code, 1);
    assert.equal((await keys.list()).length, 1);
  });
});
