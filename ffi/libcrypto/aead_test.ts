import assert from "node:assert/strict";
import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto";
import fc from "fast-check";
import { Arena } from "../libc/arena.ts";
import { FfiError } from "../libc/errors.ts";
import { Libc } from "../libc/libc.ts";
import { Aead, aeadKeyBytes, type AeadName, NONCE, TAG } from "./aead.ts";
import { Libcrypto, versionText } from "./libcrypto.ts";

const names: readonly AeadName[] = ["aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"];

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** node:crypto's types name GCM only; the calls are the same for ChaCha20-Poly1305. */
const nodeName = (name: AeadName) => name as CipherGCMTypes;

function sealWithNode(
  name: AeadName,
  key: Uint8Array,
  nonce: Uint8Array,
  text: Uint8Array,
  header: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(nodeName(name), key, nonce, { authTagLength: TAG });
  cipher.setAAD(header);
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function openWithNode(
  name: AeadName,
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  header: Uint8Array,
): Uint8Array {
  const cipher = createDecipheriv(nodeName(name), key, nonce, { authTagLength: TAG });
  cipher.setAAD(header);
  cipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  return Buffer.concat([cipher.update(sealed.subarray(0, -TAG)), cipher.final()]);
}

class Bench implements Disposable {
  readonly libc = Libc.open();
  readonly libcrypto = Libcrypto.open(this.libc);
  readonly arena = new Arena(this.libc, 1 << 18);
  readonly nonceAt = this.arena.allocate(NONCE);
  readonly headerAt = this.arena.allocate(256, 1);
  readonly at = this.arena.allocate(70_000, 1);

  put(nonce: Uint8Array, header: Uint8Array, text: Uint8Array): void {
    this.arena.bytes.set(nonce, this.nonceAt);
    this.arena.bytes.set(header, this.headerAt);
    this.arena.bytes.set(text, this.at);
  }

  bytes(length: number): Uint8Array {
    return this.arena.bytes.slice(this.at, this.at + length);
  }

  [Symbol.dispose](): void {
    this.arena[Symbol.dispose]();
    this.libcrypto[Symbol.dispose]();
    this.libc[Symbol.dispose]();
  }
}

const inputs = fc.tuple(
  fc.uint8Array({ minLength: NONCE, maxLength: NONCE }),
  fc.uint8Array({ maxLength: 64 }),
  fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.nat(65_535).map((n) => random(n))),
);

for (const name of names) {
  Deno.test(`${name}: what libcrypto seals, node:crypto opens, and the other way round`, () => {
    using bench = new Bench();
    const key = random(aeadKeyBytes(name));
    using aead = new Aead(bench.libcrypto, bench.arena, name, key);
    fc.assert(
      fc.property(inputs, ([nonce, header, text]) => {
        const { at, nonceAt, headerAt } = bench;
        const tagAt = at + text.length;
        bench.put(nonce, header, text);
        aead.seal(nonceAt, at, text.length, tagAt, headerAt, header.length);
        const sealed = bench.bytes(text.length + TAG);
        assert.ok(Buffer.from(text).equals(openWithNode(name, key, nonce, sealed, header)));
        bench.put(nonce, header, sealWithNode(name, key, nonce, text, header));
        assert.equal(aead.open(nonceAt, at, text.length, tagAt, headerAt, header.length), true);
        assert.ok(Buffer.from(text).equals(bench.bytes(text.length)));
      }),
      { numRuns: 150 },
    );
  });

  Deno.test(`${name}: one changed bit anywhere is noticed, and the key works on`, () => {
    using bench = new Bench();
    const key = random(aeadKeyBytes(name));
    using aead = new Aead(bench.libcrypto, bench.arena, name, key);
    const { arena, at, nonceAt, headerAt } = bench;
    const [nonce, header, text] = [random(NONCE), random(8), random(100)];
    const sealed = sealWithNode(name, key, nonce, text, header);
    const open = () => aead.open(nonceAt, at, 100, at + 100, headerAt, 8);
    const places = [nonceAt, nonceAt + 11, headerAt, headerAt + 7, at, at + 99, at + 100, at + 115];
    for (const place of places) {
      bench.put(nonce, header, sealed);
      arena.bytes[place] = (arena.bytes[place] ?? 0) ^ 0x10;
      assert.equal(open(), false, `at ${place}`);
      bench.put(nonce, header, sealed);
      assert.equal(open(), true);
    }
  });
}

Deno.test("a key of the wrong length, memory outside, and a disposed key are refused", () => {
  using bench = new Bench();
  const { libcrypto, arena } = bench;
  const refused = (code: string) => (error: unknown) =>
    error instanceof FfiError && error.code === code;
  assert.throws(() => new Aead(libcrypto, arena, "aes-128-gcm", random(32)), refused("FFI_CRYPTO"));
  const aead = new Aead(libcrypto, arena, "aes-128-gcm", random(16));
  const last = arena.size;
  const places: readonly (readonly [number, number, number, number, number, number])[] = [
    [last - 11, 0, 10, 100, 0, 0],
    [0, last - 9, 10, 100, 0, 0],
    [0, 0, 10, last - 15, 0, 0],
    [0, -1, 10, 100, 0, 0],
    [0, 0, -1, 100, 0, 0],
    [0, 0, 10, 100, last, 1],
  ];
  for (const place of places) {
    assert.throws(() => aead.seal(...place), refused("FFI_ARGUMENT"));
    assert.throws(() => aead.open(...place), refused("FFI_ARGUMENT"));
  }
  aead[Symbol.dispose]();
  aead[Symbol.dispose]();
  assert.throws(() => aead.open(0, 0, 10, 100), refused("FFI_CRYPTO"));
});

Deno.test("versions are read from either form of OpenSSL's number, and old ones refused", () => {
  assert.equal(versionText(0x3000_0130n), "3.0.19");
  assert.equal(versionText(0x3050_0010n), "3.5.1");
  assert.equal(versionText(0x1010_117fn), "1.1.1");
  assert.throws(() => versionText(0x1000_20b0n), /of version 1\.0\.2: install OpenSSL 3/);
  using libc = Libc.open();
  using libcrypto = Libcrypto.open(libc);
  assert.match(libcrypto.version, /^(3\.\d+\.\d+|1\.1\.1)$/);
});
