import assert from "node:assert/strict";
import { Arena } from "../../../ffi/libc/arena.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { Aead, aeadKeyBytes } from "../../../ffi/libcrypto/aead.ts";
import { Libcrypto } from "../../../ffi/libcrypto/libcrypto.ts";
import { ciphers } from "../keys/key_message.ts";
import { NodeCipher } from "./node_cipher.ts";

for (const cipher of ciphers) {
  Deno.test(`${cipher}: what one of node:crypto and libcrypto seals the other opens, and nothing else`, () => {
    using libc = Libc.open();
    using libcrypto = Libcrypto.open(libc);
    using arena = new Arena(libc, 1 << 16);
    const key = crypto.getRandomValues(new Uint8Array(aeadKeyBytes(cipher)));
    using native = new Aead(libcrypto, arena, cipher, key);
    using node = new NodeCipher(arena, { cipher, key });
    const [nonceAt, at] = [arena.allocate(12), arena.allocate(2_000)];
    for (const length of [0, 1, 20, 1_200]) {
      const text = crypto.getRandomValues(new Uint8Array(length));
      for (const [sealing, opening] of [[native, node], [node, native]] as const) {
        crypto.getRandomValues(arena.bytes.subarray(nonceAt, nonceAt + 12));
        arena.bytes.set(text, at);
        sealing.seal(nonceAt, at, length, at + length);
        const sealed = arena.bytes.slice(at, at + length + 16);
        for (const place of [at, at + length, nonceAt]) {
          arena.bytes[place]! ^= 1;
          assert.equal(opening.open(nonceAt, at, length, at + length), false);
          arena.bytes.set(sealed, at);
          if (place === nonceAt) arena.bytes[place]! ^= 1;
        }
        assert.equal(opening.open(nonceAt, at, length, at + length), true);
        assert.deepEqual(arena.bytes.slice(at, at + length), text);
      }
    }
  });
}
