import { type DaemonConfig, maxConfigLine, parseDaemonConfig } from "../config/mod.ts";
import { systemClock } from "../clock/clock.ts";
import { lockDataDir } from "../control/data_dir_lock.ts";
import { errorCode, errorText, PulseError } from "../errors/mod.ts";
import { type Logger, openNodeLogger } from "../log/mod.ts";
import { Daemon } from "./daemon.ts";
import { prepareDataDir } from "./data_dir.ts";
import { restartExitCode } from "./restart_exit_code.ts";

/**
 * The daemon's entry: one line of configuration on stdin, so that no secret is ever on a command line. SIGINT and SIGTERM end it in
 * order, SIGHUP too, but to be started again.
 */
async function main(): Promise<number> {
  const stdin = Deno.stdin.readable.getReader();
  const config = parseDaemonConfig(await readLine(stdin));
  await prepareDataDir(config.dataDir);
  await using _lock = await lockDataDir(config.dataDir);
  using logger = openNodeLogger({
    dataDir: config.dataDir,
    level: config.logLevel,
    format: config.logFormat,
    foreground: config.foreground,
    clock: systemClock,
  });
  const { log } = logger;
  const stop = new AbortController();
  const restart = { wanted: false };
  const onSignal = () => stop.abort();
  const onHangUp = () => {
    restart.wanted = true;
    stop.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, onSignal);
  Deno.addSignalListener("SIGHUP", onHangUp);
  if (config.foreground) watchParent(stdin, onSignal);
  else await stdin.cancel();
  try {
    return await run(config, log, stop.signal, restart);
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, onSignal);
    Deno.removeSignalListener("SIGHUP", onHangUp);
    if (config.foreground) await stdin.cancel();
  }
}

async function run(
  config: DaemonConfig,
  log: Logger,
  signal: AbortSignal,
  restart: { readonly wanted: boolean },
): Promise<number> {
  try {
    await using daemon = await Daemon.start(config, log);
    await daemon.run(signal);
    const again = restart.wanted || daemon.restartWanted;
    log("info", again ? "stopping, to be started again" : "stopping", {});
    return again ? restartExitCode : 0;
  } catch (error) {
    log("error", errorText(error), { code: errorCode(error) });
    // `start` shows the log; the foreground shows stderr.
    return 1;
  }
}

async function readLine(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    if (text.length > maxConfigLine) {
      throw new PulseError("CONFIG_LINE", "The configuration is too long");
    }
  }
  return text.slice(0, text.indexOf("\n") + 1 || text.length);
}

/** In the foreground the end of stdin means that the launcher is gone; a node nobody can see must not live on. */
async function watchParent(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  gone: () => void,
): Promise<void> {
  for (;;) {
    const { done } = await reader.read();
    if (done) return gone();
  }
}

try {
  Deno.exit(await main());
} catch (error) {
  // Before there is a log: whoever started the daemon shows its stderr.
  console.error(`pulse: ${errorText(error)}`);
  Deno.exit(1);
}
