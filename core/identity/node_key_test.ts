import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { verifyEd25519 } from "./ed25519.ts";
import { nodeIdFromPublicKey } from "./node_id.ts";
import { generateNodeKey, loadNodeKey, loadOrCreateNodeKey, nodeKeyFromPem } from "./node_key.ts";

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-key-" });
  try {
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a key is made once, is private to its owner, and stays the same", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/identity.key`;
    await assert.rejects(loadNodeKey(path), { code: "IDENTITY_KEY_MISSING" });
    const key = await loadOrCreateNodeKey(path);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.equal(key.id, nodeIdFromPublicKey(key.publicKey));
    assert.equal((await loadOrCreateNodeKey(path)).id, key.id);
    assert.equal((await loadNodeKey(path)).privateKeyPem, key.privateKeyPem);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(directory))).map((e) => e.name), [
      "identity.key",
    ]);
  });
});

Deno.test("many creators at once agree on one key", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/identity.key`;
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateNodeKey(path)));
    assert.equal(new Set(keys.map((key) => key.id)).size, 1);
  });
});

Deno.test("two processes that start at once agree on one key", async () => {
  await withDirectory(async (directory) => {
    const module = new URL("./node_key.ts", import.meta.url).href;
    const script = `import { loadOrCreateNodeKey } from ${JSON.stringify(module)};
      console.log((await loadOrCreateNodeKey(${JSON.stringify(`${directory}/identity.key`)})).id);`;
    await Deno.writeTextFile(`${directory}/run.ts`, script);
    const outputs = await Promise.all(
      Array.from({ length: 4 }, () =>
        new Deno.Command(Deno.execPath(), {
          args: [
            "run",
            "--no-check",
            "--no-prompt",
            `-R=${directory}`,
            `-W=${directory}`,
            `${directory}/run.ts`,
          ],
          stdout: "piped",
          stderr: "inherit",
        }).output()),
    );
    const ids = outputs.map((output) => new TextDecoder().decode(output.stdout).trim());
    assert.match(ids[0]!, /^[0-9a-f]{32}$/);
    assert.equal(new Set(ids).size, 1);
  });
});

Deno.test("a key others could read is refused with the command that mends it", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/identity.key`;
    const { id } = await loadOrCreateNodeKey(path);
    for (const mode of [0o644, 0o640, 0o660, 0o604]) {
      await Deno.chmod(path, mode);
      await assert.rejects(loadOrCreateNodeKey(path), (error: Error & { code: string }) => {
        assert.equal(error.code, "IDENTITY_KEY_MODE");
        assert.ok(error.message.includes(`chmod 600 ${path}`), error.message);
        return true;
      });
    }
    await Deno.chmod(path, 0o600);
    assert.equal((await loadNodeKey(path)).id, id);
  });
});

Deno.test("a damaged key file is refused and left as it is", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/identity.key`;
    const good = generateNodeKey().privateKeyPem;
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const damaged = [
      "",
      "hello",
      good.slice(0, 60),
      good.slice(0, good.indexOf("-----END")),
      good.replace("MC4", "MC5"),
      good.replaceAll("PRIVATE", "PUBLIC"),
      String(rsa.export({ type: "pkcs8", format: "pem" })),
      "x".repeat(5000),
    ];
    for (const text of damaged) {
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      await assert.rejects(loadOrCreateNodeKey(path), (error: Error & { code: string }) => {
        assert.equal(error.code, "IDENTITY_KEY_INVALID", error.message);
        assert.ok(error.message.startsWith(path), error.message);
        return true;
      });
      assert.equal(await Deno.readTextFile(path), text);
      await Deno.remove(path);
    }
    await Deno.mkdir(path, { mode: 0o700 });
    await assert.rejects(loadOrCreateNodeKey(path), { code: "IDENTITY_KEY_UNREADABLE" });
    await assert.rejects(loadOrCreateNodeKey(`${directory}/absent/identity.key`), {
      code: "IDENTITY_KEY_UNREADABLE",
    });
  });
});

Deno.test("a key signs synchronously and does not show itself in logs", () => {
  const key = generateNodeKey();
  const message = new TextEncoder().encode("hello");
  assert.equal(verifyEd25519(key.publicKey, message, key.sign(message)), true);
  assert.equal(nodeKeyFromPem(key.privateKeyPem).id, key.id);
  const secret = key.privateKeyPem.split("\n")[1]!;
  assert.ok(!inspect(key, { depth: 9 }).includes(secret));
  assert.ok(!Deno.inspect(key, { depth: 9 }).includes(secret));
  assert.ok(!JSON.stringify(key).includes(secret));
});
