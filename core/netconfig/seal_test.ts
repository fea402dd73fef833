import assert from "node:assert/strict";
import { openSealedKey, sealKey, sealPublicKey } from "./seal.ts";

const random = (length = 32) => crypto.getRandomValues(new Uint8Array(length));

Deno.test("a sealed key is read by its recipient and nobody else, and never the same twice", () => {
  const [secret, recipient] = [random(), random()];
  const sealed = sealKey(secret, sealPublicKey(recipient), random());
  assert.deepEqual(openSealedKey(sealed, recipient), secret);
  assert.equal(openSealedKey(sealed, random()), undefined);
  assert.notDeepEqual(sealKey(secret, sealPublicKey(recipient), random()), sealed);
});

Deno.test("a sealed key that was touched is refused, wherever", () => {
  const recipient = random();
  const sealed = sealKey(random(), sealPublicKey(recipient), random());
  for (let at = 0; at < sealed.length; at++) {
    // The top bit of an X25519 key is masked (RFC 7748 5), but it is part of the salt.
    const changed = sealed.with(at, sealed[at]! ^ 0x80);
    assert.equal(openSealedKey(changed, recipient), undefined, `byte ${at}`);
  }
  assert.equal(openSealedKey(sealed.subarray(1), recipient), undefined);
  assert.equal(openSealedKey(new Uint8Array(80), recipient), undefined, "a weak key");
});

Deno.test("only 32 bytes are sealed", () => {
  assert.throws(() => sealKey(random(31), sealPublicKey(random()), random()), {
    code: "NETCONFIG_REQUEST",
  });
});
