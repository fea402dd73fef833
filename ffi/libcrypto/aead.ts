import type { Arena } from "../libc/arena.ts";
import { FfiError } from "../libc/errors.ts";
import type { Libcrypto, LibcryptoCalls } from "./libcrypto.ts";

/** Bytes of a tag, and of a nonce, of every cipher here. */
export const TAG = 16;
export const NONCE = 12;

const CTRL_GET_TAG = 0x10;
const CTRL_SET_TAG = 0x11;

/** Names of RFC 5116 and RFC 8439, as `node:crypto` writes them. */
export type AeadName = "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305";

interface CipherFacts {
  readonly keyBytes: number;
  readonly get: (calls: LibcryptoCalls) => bigint;
}

const ciphers: Readonly<Record<AeadName, CipherFacts>> = {
  "aes-128-gcm": { keyBytes: 16, get: (calls) => calls.EVP_aes_128_gcm() },
  "aes-256-gcm": { keyBytes: 32, get: (calls) => calls.EVP_aes_256_gcm() },
  "chacha20-poly1305": { keyBytes: 32, get: (calls) => calls.EVP_chacha20_poly1305() },
};

/** Bytes of a cipher's key. */
export function aeadKeyBytes(name: AeadName): number {
  return ciphers[name].keyBytes;
}

/**
 * A key that seals and opens what lies in one arena, in place. Nothing is allocated per call.
 *
 * Which nonce is used is the caller's: the same one twice under one key reveals both texts and, for GCM, the key that
 * authenticates.
 */
export class Aead implements Disposable {
  readonly name: AeadName;
  readonly #calls: LibcryptoCalls;
  readonly #arena: Arena;
  readonly #sealing: bigint;
  readonly #opening: bigint;
  readonly #length: bigint;
  readonly #rest: bigint;
  #disposed = false;

  /**
   * @param key copied into libcrypto; the caller's stays the caller's to wipe
   * @throws {FfiError} FFI_CRYPTO
   */
  constructor(libcrypto: Libcrypto, arena: Arena, name: AeadName, key: Uint8Array) {
    const { keyBytes, get } = ciphers[name];
    if (key.length !== keyBytes) {
      throw new FfiError(
        "FFI_CRYPTO",
        `a key for ${name} has ${keyBytes} bytes, not ${key.length}`,
      );
    }
    const { calls } = libcrypto;
    this.name = name;
    this.#calls = calls;
    this.#arena = arena;
    [this.#length, this.#rest] = [libcrypto.lengthAddress, libcrypto.restAddress];
    this.#sealing = calls.EVP_CIPHER_CTX_new();
    this.#opening = calls.EVP_CIPHER_CTX_new();
    const cipher = get(calls);
    const own = Uint8Array.from(key);
    const seals = calls.EVP_EncryptInit_ex_key(this.#sealing, cipher, 0n, own, 0n);
    const opens = calls.EVP_DecryptInit_ex_key(this.#opening, cipher, 0n, own, 0n);
    own.fill(0);
    if (seals === 1 && opens === 1) return;
    this[Symbol.dispose]();
    throw new FfiError(
      "FFI_CRYPTO",
      `libcrypto refuses ${name}: its settings (FIPS?) do not allow it; choose another cipher`,
    );
  }

  /**
   * Encrypts `length` bytes at `at` in place and writes the tag.
   *
   * @param nonceAt 12 bytes, often a part of the header
   * @param tagAt 16 bytes
   * @param headerAt `headerLength` bytes that are authenticated, not encrypted
   * @throws {FfiError} FFI_CRYPTO, FFI_ARGUMENT
   */
  seal(
    nonceAt: number,
    at: number,
    length: number,
    tagAt: number,
    headerAt = 0,
    headerLength = 0,
  ): void {
    this.#require(nonceAt, at, length, tagAt, headerAt, headerLength);
    const calls = this.#calls;
    const context = this.#sealing;
    const arena = this.#arena;
    const text = arena.address(at);
    if (
      calls.EVP_EncryptInit_ex(context, 0n, 0n, 0n, arena.address(nonceAt)) !== 1 ||
      (headerLength !== 0 &&
        calls.EVP_EncryptUpdate(
            context,
            0n,
            this.#length,
            arena.address(headerAt),
            headerLength,
          ) !==
          1) ||
      calls.EVP_EncryptUpdate(context, text, this.#length, text, length) !== 1 ||
      calls.EVP_EncryptFinal_ex(context, this.#rest, this.#length) !== 1 ||
      calls.EVP_CIPHER_CTX_ctrl(context, CTRL_GET_TAG, TAG, arena.address(tagAt)) !== 1
    ) {
      throw new FfiError("FFI_CRYPTO", `libcrypto could not seal ${length} bytes`);
    }
  }

  /**
   * Decrypts `length` bytes at `at` in place.
   *
   * @returns false when it is not authentic; what lies at `at` then is neither the ciphertext nor to be used
   * @throws {FfiError} FFI_ARGUMENT
   */
  open(
    nonceAt: number,
    at: number,
    length: number,
    tagAt: number,
    headerAt = 0,
    headerLength = 0,
  ): boolean {
    this.#require(nonceAt, at, length, tagAt, headerAt, headerLength);
    const calls = this.#calls;
    const context = this.#opening;
    const arena = this.#arena;
    const text = arena.address(at);
    return calls.EVP_DecryptInit_ex(context, 0n, 0n, 0n, arena.address(nonceAt)) === 1 &&
      (headerLength === 0 ||
        calls.EVP_DecryptUpdate(
            context,
            0n,
            this.#length,
            arena.address(headerAt),
            headerLength,
          ) ===
          1) &&
      calls.EVP_DecryptUpdate(context, text, this.#length, text, length) === 1 &&
      calls.EVP_CIPHER_CTX_ctrl(context, CTRL_SET_TAG, TAG, arena.address(tagAt)) === 1 &&
      calls.EVP_DecryptFinal_ex(context, this.#rest, this.#length) === 1;
  }

  #require(
    nonceAt: number,
    at: number,
    length: number,
    tagAt: number,
    headerAt: number,
    headerLength: number,
  ): void {
    if (this.#disposed) throw new FfiError("FFI_CRYPTO", "the key has been disposed of");
    const arena = this.#arena;
    arena.requireRange(nonceAt, NONCE);
    arena.requireRange(at, length);
    arena.requireRange(tagAt, TAG);
    arena.requireRange(headerAt, headerLength);
  }

  /** libcrypto wipes the key. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#calls.EVP_CIPHER_CTX_free(this.#sealing);
    this.#calls.EVP_CIPHER_CTX_free(this.#opening);
  }
}
