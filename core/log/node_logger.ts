import { join } from "node:path";
import type { Clock } from "../clock/clock.ts";
import type { LogLevel } from "../plugin/types.ts";
import { FileSink } from "./file_sink.ts";
import { createLogger, type Logger } from "./logger.ts";
import type { LogSink } from "./log_record.ts";
import { StreamSink } from "./stream_sink.ts";

export interface NodeLoggerOptions {
  readonly dataDir: string;
  readonly level: LogLevel;
  /** Of what goes to the terminal: `auto` is pretty on a terminal and JSON elsewhere. The file always gets JSON. */
  readonly format: "auto" | "json" | "pretty";
  /** Also write to stderr. */
  readonly foreground: boolean;
  readonly clock: Clock;
}

/**
 * The daemon's logger: `<data-dir>/pulse.log`, and stderr as well in the foreground.
 * @throws {PulseError} LOG_FILE
 */
export function openNodeLogger(options: NodeLoggerOptions): { readonly log: Logger } & Disposable {
  const file = new FileSink({
    path: join(options.dataDir, "pulse.log"),
    onFailure: (text) => console.error(`pulse: ${text}`),
  });
  const sinks: LogSink[] = [file];
  if (options.foreground) {
    const terminal = Deno.stderr.isTerminal();
    const format = options.format === "auto" ? (terminal ? "pretty" : "json") : options.format;
    sinks.push(new StreamSink(Deno.stderr, { format, colour: terminal }));
  }
  const log = createLogger({ level: options.level, sinks, clock: options.clock });
  return { log, [Symbol.dispose]: () => file[Symbol.dispose]() };
}
