import { errorText } from "../core/errors/mod.ts";
import { UsageError } from "./usage_error.ts";

const maxBytes = 4_096;

/**
 * The token from `--token`, or from the file of `--token-file`: on a command line every user of the machine can read it.
 * @throws {UsageError} both are given, or the file cannot be used
 */
export async function readTokenFile(
  path: string | undefined,
  token: string | undefined,
): Promise<string | undefined> {
  if (path === undefined) return token;
  if (token !== undefined) throw new UsageError("--token and --token-file: give one of them");
  let text: string;
  try {
    using file = await Deno.open(path, { read: true });
    const buffer = new Uint8Array(maxBytes);
    const length = await file.read(buffer) ?? 0;
    if (length === maxBytes) throw new Error(`it has ${maxBytes} bytes or more`);
    text = new TextDecoder().decode(buffer.subarray(0, length)).trim();
  } catch (cause) {
    throw new UsageError(`--token-file ${path} cannot be read: ${errorText(cause)}`, cause);
  }
  if (text === "") throw new UsageError(`--token-file ${path} is empty`);
  return text;
}
