import assert from "node:assert/strict";
import { dataFiles } from "../control/types.ts";
import { identityFiles, loadCredentials, storeCredentials } from "./credentials.ts";
import { loadOrCreateNodeKey } from "./node_key.ts";
import { createTestCa } from "./testing.ts";
import type { NodeKey } from "./types.ts";

async function withNode(run: (dataDir: string, key: NodeKey) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-credentials-" });
  try {
    await run(dataDir, await loadOrCreateNodeKey(`${dataDir}/identity.key`));
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

const ca = await createTestCa("corp");
const now = Date.now();

Deno.test("a node that has not joined has no credentials", async () => {
  await withNode(async (dataDir) => {
    assert.equal(await loadCredentials(dataDir, { now }), null);
  });
});

Deno.test("what a join stored is what the node has after a restart", async () => {
  await withNode(async (dataDir, key) => {
    const { certificate } = await ca.issue({ key });
    await storeCredentials(dataDir, { certificatePem: certificate.pem, anchorPem: ca.anchorPem });
    const loaded = await loadCredentials(dataDir, { now, network: "corp" });
    assert.deepEqual(loaded?.certificate, certificate);
    assert.deepEqual(loaded?.anchor, ca.anchor);
    assert.equal(loaded?.key.id, key.id);
    await assert.rejects(loadCredentials(dataDir, { now, network: "other" }), {
      code: "CERT_NETWORK",
    });
  });
});

Deno.test("a certificate signed offline takes its CA from ca.crt", async () => {
  await withNode(async (dataDir, key) => {
    const { certificate } = await ca.issue({ key });
    await Deno.writeTextFile(`${dataDir}/identity.crt`, certificate.pem);
    await assert.rejects(loadCredentials(dataDir, { now }), { code: "IDENTITY_FILE_MISSING" });
    await Deno.writeTextFile(`${dataDir}/ca.crt`, ca.anchorPem);
    assert.deepEqual((await loadCredentials(dataDir, { now }))?.certificate, certificate);
  });
});

Deno.test("after a crash between the two files the new pair is used, also with another CA", async () => {
  await withNode(async (dataDir, key) => {
    const old = await (await createTestCa("old")).issue({ key });
    await storeCredentials(dataDir, {
      certificatePem: old.certificate.pem,
      anchorPem: old.anchor.pem,
    });
    const fresh = await ca.issue({ key });
    await storeCredentials(dataDir, {
      certificatePem: fresh.certificate.pem,
      anchorPem: ca.anchorPem,
    });
    for (const left of [old.anchor.pem, null]) {
      if (left === null) await Deno.remove(`${dataDir}/ca.crt`);
      else await Deno.writeTextFile(`${dataDir}/ca.crt`, left);
      const loaded = await loadCredentials(dataDir, { now });
      assert.equal(loaded?.anchor.fingerprint, ca.anchor.fingerprint);
      assert.equal(await Deno.readTextFile(`${dataDir}/ca.crt`), ca.anchorPem);
    }
  });
});

Deno.test("a certificate of another key is refused when stored and when loaded", async () => {
  await withNode(async (dataDir) => {
    const stranger = await ca.issue();
    const pair = { certificatePem: stranger.certificate.pem, anchorPem: ca.anchorPem };
    await assert.rejects(storeCredentials(dataDir, pair), { code: "IDENTITY_MISMATCH" });
    assert.equal(await loadCredentials(dataDir, { now }), null);
    await Deno.writeTextFile(`${dataDir}/identity.crt`, pair.certificatePem);
    await Deno.writeTextFile(`${dataDir}/ca.crt`, pair.anchorPem);
    await assert.rejects(loadCredentials(dataDir, { now }), { code: "IDENTITY_MISMATCH" });
  });
});

Deno.test("a certificate that does not chain to the CA beside it is never stored", async () => {
  await withNode(async (dataDir, key) => {
    const { certificate } = await (await createTestCa("corp")).issue({ key });
    const pair = { certificatePem: certificate.pem, anchorPem: ca.anchorPem };
    await assert.rejects(storeCredentials(dataDir, pair), { code: "CERT_SIGNATURE" });
    assert.equal(await loadCredentials(dataDir, { now }), null);
  });
});

Deno.test("truncated files are refused with their path, and so are missing halves", async () => {
  await withNode(async (dataDir, key) => {
    const { certificate } = await ca.issue({ key });
    const pair = { certificatePem: certificate.pem, anchorPem: ca.anchorPem };
    await storeCredentials(dataDir, pair);
    const path = `${dataDir}/identity.crt`;
    const whole = await Deno.readTextFile(path);
    for (const length of [0, 10, 100, certificate.pem.length + 40]) {
      await Deno.writeTextFile(path, whole.slice(0, length));
      await assert.rejects(loadCredentials(dataDir, { now }), (error: Error) => {
        assert.equal(error.name, "CertificateError");
        assert.ok(error.message.startsWith(path), error.message);
        return true;
      });
    }
    await Deno.remove(path);
    await assert.rejects(loadCredentials(dataDir, { now }), { code: "IDENTITY_FILE_MISSING" });
    await storeCredentials(dataDir, pair);
    await Deno.remove(`${dataDir}/identity.key`);
    await assert.rejects(loadCredentials(dataDir, { now }), { code: "IDENTITY_KEY_MISSING" });
  });
});

Deno.test("an expired certificate is refused, unless it is only to be shown", async () => {
  await withNode(async (dataDir, key) => {
    const { certificate } = await ca.issue({ key, notAfter: now - 60_000 });
    const pair = { certificatePem: certificate.pem, anchorPem: ca.anchorPem };
    await storeCredentials(dataDir, pair);
    await assert.rejects(loadCredentials(dataDir, { now }), { code: "CERT_EXPIRED" });
    const shown = await loadCredentials(dataDir, { now, ignoreDates: true });
    assert.equal(shown?.certificate.notAfter, certificate.notAfter);
  });
});

Deno.test("identity files have the names the rest of the program knows them by", () => {
  const { key, certificate, anchor } = dataFiles;
  assert.deepEqual(identityFiles, { key, certificate, anchor });
});

Deno.test("killed at any point while storing, a node has the old pair or the new one", async () => {
  await withNode(async (dataDir, key) => {
    const pairs = await Promise.all(["one", "two"].map(async (network) => {
      const { certificate, anchor } = await (await createTestCa(network)).issue({ key });
      return { certificatePem: certificate.pem, anchorPem: anchor.pem };
    }));
    const module = new URL("./credentials.ts", import.meta.url).href;
    const script = `import { storeCredentials } from ${JSON.stringify(module)};
      const pairs = ${JSON.stringify(pairs)};
      for (let i = 0; ; i++) {
        await storeCredentials(${JSON.stringify(dataDir)}, pairs[i % 2]);
        if (i === 1) console.log("storing");
      }`;
    await Deno.writeTextFile(`${dataDir}/store.ts`, script);
    for (let round = 0; round < 10; round++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-check",
          "--no-prompt",
          `-R=${dataDir}`,
          `-W=${dataDir}`,
          `${dataDir}/store.ts`,
        ],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const output = child.stdout.getReader();
      await output.read();
      // Any moment will do; each round picks another one.
      const end = performance.now() + round * 0.7;
      while (performance.now() < end) { /* too short for a timer */ }
      child.kill("SIGKILL");
      await output.cancel();
      await child.status;
      const loaded = await loadCredentials(dataDir, { now: Date.now() });
      assert.ok(loaded !== null);
      assert.equal(await Deno.readTextFile(`${dataDir}/ca.crt`), loaded.anchor.pem);
    }
  });
});
