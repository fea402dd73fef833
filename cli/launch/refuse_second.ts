import { join } from "node:path";
import { ControlClient } from "../../core/control/client.ts";
import { AlreadyRunningError, NotRunningError } from "../../core/control/errors.ts";
import { dataFiles } from "../../core/control/types.ts";

/** @throws {AlreadyRunningError} a daemon answers in this directory */
export async function refuseSecond(dataDir: string): Promise<void> {
  using client = new ControlClient(join(dataDir, dataFiles.controlSocket));
  let pid: number;
  try {
    pid = (await client.ping()).pid;
  } catch (error) {
    if (error instanceof NotRunningError) return;
    throw error;
  }
  throw new AlreadyRunningError(dataDir, pid);
}
