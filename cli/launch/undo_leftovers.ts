import { join } from "node:path";
import type { DaemonConfig } from "../../core/config/daemon_config.ts";
import { lockDataDir } from "../../core/control/data_dir_lock.ts";
import { errorText } from "../../core/errors/mod.ts";
import type { CliIo } from "../io.ts";

/**
 * Undoes what a node that was killed has left changed on this machine. Where the packet tunnel is on, its own plugin does: it goes
 * on with what is wanted still, so that a kill switch has no gap.
 */
export async function undoLeftovers(config: DaemonConfig, io: CliIo): Promise<void> {
  if (config.tun !== null) return;
  const dir = join(config.dataDir, "exit");
  try {
    const stat = await Deno.stat(dir).catch(() => undefined);
    if (stat === undefined) return;
    await using _lock = await lockDataDir(config.dataDir);
    const { leftovers } = await import("../../plugins/exit/host_changes/leftovers.ts");
    const { entries, failures } = leftovers(dir, { undo: true });
    if (entries.length > 0) throw failures[0];
  } catch (error) {
    io.stderr(
      `pulse: what an earlier run has changed on this machine could not be undone (${
        errorText(error)
      }); "pulse doctor" shows it\n`,
    );
  }
}
