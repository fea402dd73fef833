import { architecture, libraryPaths, openLibrary } from "../libc/dynamic_library.ts";
import { Arena } from "../libc/arena.ts";
import { FfiError } from "../libc/errors.ts";
import type { Libc } from "../libc/libc.ts";

const symbols = {
  EVP_CIPHER_CTX_ctrl: { parameters: ["usize", "i32", "i32", "usize"], result: "i32" },
  EVP_CIPHER_CTX_free: { parameters: ["usize"], result: "void" },
  EVP_CIPHER_CTX_new: { parameters: [], result: "usize" },
  EVP_DecryptFinal_ex: { parameters: ["usize", "usize", "usize"], result: "i32" },
  EVP_DecryptInit_ex: { parameters: ["usize", "usize", "usize", "usize", "usize"], result: "i32" },
  EVP_DecryptInit_ex_key: {
    name: "EVP_DecryptInit_ex",
    parameters: ["usize", "usize", "usize", "buffer", "usize"],
    result: "i32",
  },
  EVP_DecryptUpdate: { parameters: ["usize", "usize", "usize", "usize", "i32"], result: "i32" },
  EVP_EncryptFinal_ex: { parameters: ["usize", "usize", "usize"], result: "i32" },
  EVP_EncryptInit_ex: { parameters: ["usize", "usize", "usize", "usize", "usize"], result: "i32" },
  EVP_EncryptInit_ex_key: {
    name: "EVP_EncryptInit_ex",
    parameters: ["usize", "usize", "usize", "buffer", "usize"],
    result: "i32",
  },
  EVP_EncryptUpdate: { parameters: ["usize", "usize", "usize", "usize", "i32"], result: "i32" },
  EVP_aes_128_gcm: { parameters: [], result: "usize" },
  EVP_aes_256_gcm: { parameters: [], result: "usize" },
  EVP_chacha20_poly1305: { parameters: [], result: "usize" },
  OpenSSL_version_num: { parameters: [], result: "u64" },
} as const satisfies Deno.ForeignLibraryInterface;

/** libcrypto's functions as `ffi/` calls them. */
export type LibcryptoCalls = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** OpenSSL's libcrypto, of version 3 or 1.1.1. */
export class Libcrypto implements Disposable {
  /** @internal */
  readonly calls: LibcryptoCalls;
  /** `3.0.19` */
  readonly version: string;
  /** Where calls say how much they have written: an int that nobody reads. For `ffi/` only. */
  readonly lengthAddress: bigint;
  /** Where a final step may write what is left over: nothing, with these ciphers. For `ffi/` only. */
  readonly restAddress: bigint;
  readonly #scratch: Arena;
  readonly #close: () => void;

  private constructor(libc: Libc, library: Deno.DynamicLibrary<typeof symbols>) {
    this.calls = library.symbols;
    this.#close = () => library.close();
    this.version = versionText(library.symbols.OpenSSL_version_num());
    this.#scratch = new Arena(libc, 64);
    this.lengthAddress = this.#scratch.address(0);
    this.restAddress = this.#scratch.address(32);
  }

  /** @throws {FfiError} FFI_PERMISSION; FFI_LIBRARY it is not installed */
  static open(libc: Libc): Libcrypto {
    const files = ["libcrypto.so.3", "libcrypto.so.1.1"];
    const paths = libraryPaths({ glibc: files, musl: files }, architecture());
    const library = openLibrary(
      "libcrypto (OpenSSL)",
      paths,
      symbols,
      "install OpenSSL 3 (Debian: libssl3, Alpine: libcrypto3)",
    );
    try {
      return new Libcrypto(libc, library);
    } catch (error) {
      library.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#scratch[Symbol.dispose]();
    this.#close();
  }
}

/**
 * The version in OpenSSL's number: 0xMNN00PP0 from 3 on, 0xMNNFFPPS before.
 *
 * @throws {FfiError} FFI_LIBRARY it is older than 1.1.1
 */
export function versionText(number: bigint): string {
  const bits = Number(number);
  const [major, minor] = [bits >>> 28, (bits >>> 20) & 0xff];
  const patch = major >= 3 ? (bits >>> 4) & 0xff : (bits >>> 12) & 0xff;
  if (bits >= 0x1010_1000) return `${major}.${minor}.${patch}`;
  throw new FfiError(
    "FFI_LIBRARY",
    `libcrypto is of version ${major}.${minor}.${patch}: install OpenSSL 3, or at least 1.1.1`,
  );
}
