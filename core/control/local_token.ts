import { hash, timingSafeEqual } from "node:crypto";
import { errorText } from "../errors/mod.ts";
import { createFileOnce } from "../identity/atomic_file.ts";
import { ControlError } from "./errors.ts";

const tokenPattern = /^[0-9a-f]{64}$/;

/**
 * The secret that the TCP tunnel listener wants, made at first use: 64 hex characters in a file of mode 0600. Whoever can read the data
 * directory could use the unix socket anyway.
 * @throws {ControlError} LOCAL_TOKEN
 */
export async function loadOrCreateLocalToken(path: string): Promise<string> {
  try {
    const fresh = crypto.getRandomValues(new Uint8Array(32)).toHex();
    if (await createFileOnce(path, `${fresh}\n`, { mode: 0o600 })) return fresh;
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 0o077) !== 0) {
      throw new Error(`others can read it; run: chmod 600 ${path}`);
    }
    const token = (await Deno.readTextFile(path)).trim();
    if (!tokenPattern.test(token)) throw new Error("it is damaged; remove it to get a new one");
    return token;
  } catch (cause) {
    throw new ControlError(
      "LOCAL_TOKEN",
      `${path} cannot be used: ${errorText(cause)}`,
      { path },
      cause,
    );
  }
}

/** Takes the same time whatever the guess, its length included. */
export function isLocalToken(guess: string | undefined, token: string): boolean {
  const digest = (text: string) => hash("sha256", text, "buffer");
  return guess !== undefined && timingSafeEqual(digest(guess), digest(token));
}
