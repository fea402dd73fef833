import { join } from "node:path";
import { errorText } from "../errors/mod.ts";
import { AlreadyRunningError, ControlError } from "./errors.ts";

const lockName = "pulse.lock";

/**
 * Takes the data directory for this process: two daemons on one directory would spend the same tokens and
 * sequence numbers. The kernel gives the lock back when the process ends, however it ends.
 * @throws {AlreadyRunningError} names the process that has it
 * @throws {ControlError} DATA_DIR
 */
export async function lockDataDir(dataDir: string): Promise<AsyncDisposable> {
  const path = join(dataDir, lockName);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (cause) {
    throw new ControlError(
      "DATA_DIR",
      `The data directory ${dataDir} cannot be used: ${errorText(cause)}`,
      { dataDir },
      cause,
    );
  }
  try {
    if (!await file.tryLock(true)) throw new AlreadyRunningError(dataDir, await readPid(file));
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    [Symbol.asyncDispose]() {
      file.close();
      return Promise.resolve();
    },
  };
}

async function readPid(file: Deno.FsFile): Promise<number | null> {
  const buffer = new Uint8Array(16);
  const length = await file.read(buffer);
  const pid = Number(new TextDecoder().decode(buffer.subarray(0, length ?? 0)).trim());
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}
