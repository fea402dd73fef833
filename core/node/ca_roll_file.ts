import { join } from "node:path";
import { dataFiles } from "../control/types.ts";
import { writeFileAtomic } from "../identity/mod.ts";
import { maxRollBytes } from "../trust/mod.ts";
import type { TrustStorage } from "./node_trust.ts";

/**
 * The last word on a CA roll in a data directory: signed bytes, so nobody has to trust the disk.
 * @param problem told when the file is there and cannot be used
 */
export async function caRollStorage(
  dataDir: string,
  problem: (error: unknown) => void,
): Promise<TrustStorage> {
  const path = join(dataDir, dataFiles.caRoll);
  return {
    stored: await read(path, problem),
    save: async (bytes) => await writeFileAtomic(path, bytes, { mode: 0o644 }),
  };
}

async function read(
  path: string,
  problem: (error: unknown) => void,
): Promise<Uint8Array | undefined> {
  try {
    using file = await Deno.open(path, { read: true });
    const buffer = new Uint8Array(maxRollBytes);
    const length = await file.read(buffer) ?? 0;
    return buffer.slice(0, length);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) problem(error);
    return undefined;
  }
}
