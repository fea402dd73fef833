import { errorText } from "../../core/errors/mod.ts";
import { createFileOnce } from "../../core/identity/atomic_file.ts";
import { openSealedKey, sealPublicKey } from "../../core/netconfig/mod.ts";
import { CaError } from "./errors.ts";

/** Its file in the CA's directory: 32 bytes in hex. */
export const sealKeyFile = "seal.key";

/** What the scribe seals for the CA alone, only this opens. */
export class SealKey {
  /** Raw X25519, hex: as grants name it. */
  readonly publicKey: string;
  readonly #privateKey: Uint8Array;

  constructor(privateKey: Uint8Array) {
    this.#privateKey = privateKey;
    this.publicKey = sealPublicKey(privateKey).toHex();
  }

  /** Undefined when it was not sealed to this key. */
  open(sealed: Uint8Array): Uint8Array | undefined {
    return openSealedKey(sealed, this.#privateKey);
  }
}

/**
 * The CA's sealing key, made when there is none. Without the old one the tokens of the network config cannot be read: the scribe has to
 * seal them anew, under the next grant.
 * @throws {CaError} CA_SEAL_KEY
 */
export async function openSealKey(path: string): Promise<SealKey> {
  try {
    const fresh = crypto.getRandomValues(new Uint8Array(32));
    await createFileOnce(path, `${fresh.toHex()}\n`, { mode: 0o600 });
    const text = (await Deno.readTextFile(path)).trim();
    if (!/^[0-9a-f]{64}$/.test(text)) throw new Error("it does not hold 32 bytes in hex");
    return new SealKey(Uint8Array.fromHex(text));
  } catch (cause) {
    throw new CaError(
      "CA_SEAL_KEY",
      `the sealing key ${path} cannot be used: ${
        errorText(cause)
      }. Restore it from a backup, or remove it and grant the scribe's role anew`,
      { path },
      cause,
    );
  }
}
