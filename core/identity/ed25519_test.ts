import assert from "node:assert/strict";
import { verifyAsync } from "@noble/ed25519";
import fc from "fast-check";
import { isStrictPublicKey, verifyEd25519 } from "./ed25519.ts";
import { generateNodeKey } from "./node_key.ts";

/** Order of the base point (RFC 8032 5.1), little endian arithmetic below. */
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;

Deno.test("signatures made here are valid for an independent implementation, and changed ones for neither", async () => {
  const key = generateNodeKey();
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(511),
      fc.boolean(),
      async (message, bit, change) => {
        const signature = key.sign(message).slice();
        if (change) signature[bit >> 3]! ^= 1 << (bit & 7);
        const oracle = await verifyAsync(signature, message, key.publicKey, { zip215: false })
          .catch(() => false);
        assert.equal(verifyEd25519(key.publicKey, message, signature), oracle);
        assert.equal(oracle, !change);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("a signature whose scalar is not reduced is refused, so signatures cannot be changed by others", () => {
  const key = generateNodeKey();
  const message = Uint8Array.of(1, 2, 3);
  const signature = key.sign(message).slice();
  assert.equal(verifyEd25519(key.publicKey, message, signature), true);
  let scalar = 0n;
  for (let i = 63; i >= 32; i--) scalar = (scalar << 8n) | BigInt(signature[i]!);
  scalar += groupOrder;
  for (let i = 32; i < 64; i++) {
    signature[i] = Number(scalar & 0xffn);
    scalar >>= 8n;
  }
  assert.equal(verifyEd25519(key.publicKey, message, signature), false);
});

Deno.test("keys of small order and keys not in canonical form are refused", () => {
  const hexKeys = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];
  for (const hex of hexKeys) assert.equal(isStrictPublicKey(Uint8Array.fromHex(hex)), false, hex);
  assert.equal(isStrictPublicKey(new Uint8Array(31)), false);
  assert.equal(isStrictPublicKey(generateNodeKey().publicKey), true);
  // For the neutral element as key and R, with S = 0, the equation holds for every message.
  const neutral = new Uint8Array(32);
  neutral[0] = 1;
  const signature = new Uint8Array(64);
  signature[0] = 1;
  assert.equal(verifyEd25519(neutral, Uint8Array.of(9), signature), false);
});

Deno.test("random keys and signatures never make verification throw", () => {
  assert.equal(
    verifyEd25519(generateNodeKey().publicKey, Uint8Array.of(1), new Uint8Array(63)),
    false,
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      (key, signature) => {
        assert.equal(verifyEd25519(key, Uint8Array.of(1), signature), false);
      },
    ),
  );
});
