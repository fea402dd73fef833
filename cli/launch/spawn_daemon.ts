import { type ChildProcess, spawn } from "node:child_process";
import type { DaemonConfig } from "../../core/config/daemon_config.ts";
import { daemonCommand } from "./daemon_command.ts";
import { supervisedCommand } from "./supervised_command.ts";

/** How a process ended: its code, or the signal that ended it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** What a launcher passes on. */
export type DaemonSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGKILL";

/** A daemon that has been started and told its configuration. */
export interface DaemonProcess {
  readonly ended: Promise<ProcessEnd>;
  kill(signal: DaemonSignal): void;
  /** Lets this process end while the daemon goes on. */
  release(): void;
}

/**
 * Starts the daemon in a session of its own, so that a terminal's Ctrl-C reaches it through its launcher once, not twice. In the
 * background a supervisor stays with it, which starts it again when it asks for that; in the foreground that is its launcher's part.
 * @param output `inherit` for the foreground, else the descriptor its raw output goes to
 * @throws {Error} the program cannot be started
 */
export async function spawnDaemon(
  config: DaemonConfig,
  output: "inherit" | number,
): Promise<DaemonProcess> {
  const command = daemonCommand(config);
  const { program, args } = config.foreground ? command : supervisedCommand(command);
  const child = spawn(program, args, {
    detached: true,
    stdio: ["pipe", output, output],
    cwd: config.dataDir,
  });
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const pid = await started(child);
  tellConfiguration(child, config);
  return {
    ended,
    // A session's leader leads its process group too: with a minus the supervisor and the daemon are both meant.
    kill: (signal) => kill(child, config.foreground ? pid : -pid, signal),
    release: () => {
      child.stdin?.destroy();
      child.unref();
    },
  };
}

/** Not `child.kill()`: Deno 2.9.6 then reports that signal as the cause of the end, even when the child exited in order. */
function kill(child: ChildProcess, pid: number, signal: DaemonSignal): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    // It ended just now; its end is about to be told.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    if (child.pid !== undefined) resolve(child.pid);
  });
}

/** In the foreground stdin stays open as a lifeline: its end tells the daemon that its launcher is gone. */
function tellConfiguration(child: ChildProcess, config: DaemonConfig): void {
  // A daemon that ended at once took its stdin with it; how it ended says more than this error.
  child.stdin?.on("error", () => {});
  child.stdin?.write(`${JSON.stringify(config)}\n`);
  if (!config.foreground) child.stdin?.end();
}
