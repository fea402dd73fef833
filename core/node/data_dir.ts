import { errorText, PulseError } from "../errors/mod.ts";

/**
 * Makes the data directory, readable by this user only.
 * @throws {PulseError} DATA_DIR it cannot be made, or others may write in it
 */
export async function prepareDataDir(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    const info = await Deno.stat(path);
    if (!info.isDirectory) throw new Error("it is not a directory");
    // Whoever may write here could put a key of his own in place.
    if (info.mode !== null && (info.mode & 0o022) !== 0) {
      throw new Error(`others may write in it; run: chmod 700 ${path}`);
    }
  } catch (cause) {
    throw new PulseError("DATA_DIR", `Cannot use the data directory ${path}: ${errorText(cause)}`, {
      path,
    }, cause);
  }
}
