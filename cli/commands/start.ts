import { join } from "node:path";
import type { DaemonConfig } from "../../core/config/daemon_config.ts";
import { ControlClient } from "../../core/control/client.ts";
import { NotRunningError } from "../../core/control/errors.ts";
import { dataFiles } from "../../core/control/types.ts";
import { PulseError } from "../../core/errors/mod.ts";
import { prepareDataDir } from "../../core/node/data_dir.ts";
import type { StartCommand } from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { lastLogLines } from "../launch/last_log_lines.ts";
import { refuseSecond } from "../launch/refuse_second.ts";
import { undoLeftovers } from "../launch/undo_leftovers.ts";
import { type DaemonProcess, type ProcessEnd, spawnDaemon } from "../launch/spawn_daemon.ts";
import { readNodeConfig } from "../node_config.ts";

/** Raw stdout and stderr of the daemon: empty unless the runtime itself has something to say. */
const outputFile = "pulse.out";
const startTimeoutMs = 60_000;
const pollMs = 25;

/** Starts a daemon in the background and returns when it answers, or says why it does not. */
export async function start(command: StartCommand, io: CliIo): Promise<number> {
  const config = await readNodeConfig(command, io, false);
  const { dataDir } = config;
  await prepareDataDir(dataDir);
  await refuseSecond(dataDir);
  await undoLeftovers(config, io);
  const startedAt = Date.now();
  const daemon = await launch(config);
  let pid: number;
  try {
    pid = await answered(daemon, dataDir, startedAt);
  } finally {
    daemon.release();
  }
  const log = join(dataDir, dataFiles.log);
  if (command.json) printJson(io, { started: true, pid, dataDir, log });
  else io.stdout(`pulse started (pid ${pid}, logs: ${log})\n`);
  return exitCode.ok;
}

async function launch(config: DaemonConfig): Promise<DaemonProcess> {
  const { openSync, closeSync, fchmodSync } = await import("node:fs");
  const descriptor = openSync(join(config.dataDir, outputFile), "w", 0o600);
  try {
    fchmodSync(descriptor, 0o600);
    return await spawnDaemon(config, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** @returns the daemon's process @throws {PulseError} START_FAILED with the end of the log */
async function answered(daemon: DaemonProcess, dataDir: string, since: number): Promise<number> {
  using client = new ControlClient(join(dataDir, dataFiles.controlSocket));
  const deadline = performance.now() + startTimeoutMs;
  let end: ProcessEnd | undefined;
  void daemon.ended.then((how) => end = how);
  while (end === undefined) {
    try {
      return (await client.ping()).pid;
    } catch (error) {
      if (!(error instanceof NotRunningError)) throw error;
    }
    if (performance.now() > deadline) {
      daemon.kill("SIGTERM");
      const why = `did not answer within ${startTimeoutMs / 1000} s and was ended`;
      throw await notStarted(why, dataDir, since);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const how = end.signal === null ? `code ${end.code}` : end.signal;
  throw await notStarted(`ended with ${how}`, dataDir, since);
}

async function notStarted(why: string, dataDir: string, since: number): Promise<PulseError> {
  const lines = [
    ...await lastLogLines(join(dataDir, dataFiles.log), { count: 10, since }),
    ...await lastLogLines(join(dataDir, outputFile), { count: 10 }),
  ];
  const log = lines.length === 0
    ? "It logged nothing."
    : `Its last words:\n  ${lines.join("\n  ")}`;
  return new PulseError("START_FAILED", `The daemon ${why}. ${log}`, { dataDir });
}
