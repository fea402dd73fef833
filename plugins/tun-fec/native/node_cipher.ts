import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto";
import type { DirectionKey } from "../keys/key_agreement.ts";
import type { LoopMemory, SegmentCipher } from "../loop/ports.ts";
import { segmentTag } from "../wire/segment.ts";

const nonceBytes = 12;
const options = { authTagLength: segmentTag };

/**
 * A key of `node:crypto`, for machines without libcrypto. It is the same cipher, ten times as slow: every segment takes new objects
 * and is copied.
 */
export class NodeCipher implements SegmentCipher {
  readonly #bytes: Uint8Array;
  /** The types name GCM only; the calls are the same for ChaCha20-Poly1305. */
  readonly #name: CipherGCMTypes;
  readonly #key: Uint8Array;

  constructor({ bytes }: LoopMemory, { cipher, key }: Pick<DirectionKey, "cipher" | "key">) {
    this.#bytes = bytes;
    this.#name = cipher as CipherGCMTypes;
    this.#key = Uint8Array.from(key);
  }

  seal(nonceAt: number, at: number, length: number, tagAt: number): void {
    const bytes = this.#bytes;
    const nonce = bytes.subarray(nonceAt, nonceAt + nonceBytes);
    const cipher = createCipheriv(this.#name, this.#key, nonce, options);
    bytes.set(cipher.update(bytes.subarray(at, at + length)), at);
    cipher.final();
    bytes.set(cipher.getAuthTag(), tagAt);
  }

  open(nonceAt: number, at: number, length: number, tagAt: number): boolean {
    const bytes = this.#bytes;
    const nonce = bytes.subarray(nonceAt, nonceAt + nonceBytes);
    const decipher = createDecipheriv(this.#name, this.#key, nonce, options);
    decipher.setAuthTag(bytes.subarray(tagAt, tagAt + segmentTag));
    const text = decipher.update(bytes.subarray(at, at + length));
    try {
      decipher.final();
    } catch {
      // Its only way to say that the tag is another one.
      return false;
    }
    bytes.set(text, at);
    return true;
  }

  [Symbol.dispose](): void {
    this.#key.fill(0);
  }
}
