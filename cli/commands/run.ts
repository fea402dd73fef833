import type { DaemonConfig } from "../../core/config/daemon_config.ts";
import { prepareDataDir } from "../../core/node/data_dir.ts";
import { restartExitCode } from "../../core/node/restart_exit_code.ts";
import type { RunCommand } from "../command_line/command.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { refuseSecond } from "../launch/refuse_second.ts";
import { undoLeftovers } from "../launch/undo_leftovers.ts";
import { type ProcessEnd, spawnDaemon } from "../launch/spawn_daemon.ts";
import { readNodeConfig } from "../node_config.ts";

/** What ends the launcher ends the node in order; the end of its terminal (SIGHUP) too. */
const forwarded = { SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGTERM" } as const;

/**
 * A node in the foreground: launches the daemon with its own permissions, passes signals on, starts it again when it asks for that, and
 * ends as it ends.
 */
export async function run(command: RunCommand, io: CliIo): Promise<number> {
  const config = await readNodeConfig(command, io, true);
  await prepareDataDir(config.dataDir);
  await refuseSecond(config.dataDir);
  await undoLeftovers(config, io);
  for (;;) {
    const { code, signal } = await runOnce(config);
    if (code === restartExitCode) continue;
    if (signal !== null) io.stderr(`pulse: the daemon was ended by ${signal}\n`);
    return code ?? exitCode.failed;
  }
}

async function runOnce(config: DaemonConfig): Promise<ProcessEnd> {
  const daemon = await spawnDaemon(config, "inherit");
  const signals = Object.keys(forwarded) as (keyof typeof forwarded)[];
  const listeners = signals.map((signal) => {
    const listener = () => daemon.kill(forwarded[signal]);
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  const end = await daemon.ended;
  for (const remove of listeners) remove();
  daemon.release();
  return end;
}
