import assert from "node:assert/strict";
import { createCsr, generateNodeKey } from "../../core/identity/mod.ts";
import { pemToDer } from "../../core/identity/pem.ts";
import { createTestCa } from "../../core/identity/testing.ts";
import { openAuthority } from "./authority.ts";

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-authority-" });
  try {
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const now = Date.now();

Deno.test("a CA is made once, for ten years, with a key only its owner can read", async () => {
  await withDirectory(async (directory) => {
    const first = await openAuthority(directory, now);
    const years = (first.anchor.notAfter - now) / (365 * 86_400_000);
    assert.ok(years > 9.99 && years <= 10);
    const der = pemToDer(await Deno.readTextFile(`${directory}/ca.crt`));
    // RFC 5280, appendix A.1: the common name, as UTF8String or PrintableString.
    const name = new TextEncoder().encode("pulse-ca").toHex();
    assert.match(der.toHex(), new RegExp(`0603550403(0c|13)08${name}`));
    assert.equal((await Deno.stat(`${directory}/ca.key`)).mode! & 0o777, 0o600);
    const again = await openAuthority(directory, now + 1000);
    assert.equal(again.anchor.fingerprint, first.anchor.fingerprint);
    const names = (await Array.fromAsync(Deno.readDir(directory))).map((entry) => entry.name);
    assert.deepEqual(names.sort(), ["ca.crt", "ca.key"]);
  });
});

Deno.test("two processes that make a CA at once end up with the same one", async () => {
  await withDirectory(async (directory) => {
    const all = await Promise.all(Array.from({ length: 10 }, () => openAuthority(directory, now)));
    assert.equal(new Set(all.map((authority) => authority.anchor.fingerprint)).size, 1);
  });
});

Deno.test("a crash between key and certificate is mended at the next start", async () => {
  await withDirectory(async (directory) => {
    const first = await openAuthority(directory, now);
    await Deno.remove(`${directory}/ca.crt`);
    const second = await openAuthority(directory, now);
    assert.deepEqual(second.anchor.publicKey, first.anchor.publicKey);
  });
});

Deno.test("missing, damaged and mixed-up files are refused with what to do", async () => {
  await withDirectory(async (directory) => {
    await openAuthority(directory, now);
    const files = { key: `${directory}/ca.key`, certificate: `${directory}/ca.crt` };
    const key = await Deno.readTextFile(files.key);
    const certificate = await Deno.readTextFile(files.certificate);
    const open = () => openAuthority(directory, now);

    await Deno.remove(files.key);
    await assert.rejects(open(), { code: "CA_KEY_MISSING", message: /restore the key/ });

    await Deno.writeTextFile(files.key, generateNodeKey().privateKeyPem, { mode: 0o600 });
    await assert.rejects(open(), { code: "CA_MISMATCH" });

    for (const damaged of ["", "hello", key.slice(0, 50)]) {
      await Deno.writeTextFile(files.key, damaged);
      await assert.rejects(open(), { code: "IDENTITY_KEY_INVALID" });
    }
    await Deno.writeTextFile(files.key, key);
    await Deno.chmod(files.key, 0o644);
    await assert.rejects(open(), { code: "IDENTITY_KEY_MODE" });
    await Deno.chmod(files.key, 0o600);

    const leaf = (await (await createTestCa()).issue()).certificate.pem;
    for (const damaged of ["", "hello", certificate.slice(0, 200), leaf]) {
      await Deno.writeTextFile(files.certificate, damaged);
      await assert.rejects(open(), { code: "CA_CERTIFICATE_INVALID" });
    }
    await Deno.writeTextFile(files.certificate, certificate);
    await open();
  });
});

Deno.test("a certificate is only issued for the key that signed the request, and for this network", async () => {
  await withDirectory(async (directory) => {
    const authority = await openAuthority(directory, now);
    const key = generateNodeKey();
    const request = {
      csr: await createCsr(key, "corp"),
      network: "corp",
      meshAddresses: ["10.100.0.1", "fd00::1"],
      roles: [],
      now,
    };
    const certificate = authority.issue({ ...request, publicKey: key.publicKey });
    assert.equal(certificate.id, key.id);
    const other = generateNodeKey().publicKey;
    assert.throws(() => authority.issue({ ...request, publicKey: other }), {
      code: "CERT_REQUEST",
    });
    assert.throws(() => authority.issue({ ...request, network: "home" }), {
      code: "CERT_REQUEST",
      message: /serves "home"/,
    });
    const forged = request.csr.slice();
    forged[forged.length - 1]! ^= 1;
    assert.throws(() => authority.issue({ ...request, csr: forged }), { code: "CERT_REQUEST" });
  });
});

Deno.test("no certificate outlives the CA, and an expired CA issues none", async () => {
  await withDirectory(async (directory) => {
    const authority = await openAuthority(directory, now);
    const csr = await createCsr(generateNodeKey(), "corp");
    const issue = (at: number) =>
      authority.issue({ csr, network: "corp", meshAddresses: [], roles: [], now: at });
    const late = issue(authority.anchor.notAfter - 1000);
    assert.equal(late.notAfter, authority.anchor.notAfter);
    assert.throws(() => issue(authority.anchor.notAfter + 1000), { code: "CERT_EXPIRED" });
  });
});
