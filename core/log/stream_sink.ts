import { formatJson } from "./format_json.ts";
import { formatPretty } from "./format_pretty.ts";
import type { LogRecord, LogSink } from "./log_record.ts";

/** `Deno.stderr` and the like. */
export interface SyncWriter {
  writeSync(bytes: Uint8Array): number;
}

export interface StreamSinkOptions {
  readonly format: "json" | "pretty";
  /** Only for pretty. */
  readonly colour: boolean;
}

/** Records as lines on a stream that is already open, a terminal's most often. Never closes it. */
export class StreamSink implements LogSink {
  readonly #writer: SyncWriter;
  readonly #options: StreamSinkOptions;
  readonly #encoder = new TextEncoder();
  #broken = false;

  constructor(writer: SyncWriter, options: StreamSinkOptions) {
    this.#writer = writer;
    this.#options = options;
  }

  write(record: LogRecord): void {
    if (this.#broken) return;
    const text = this.#options.format === "json"
      ? formatJson(record)
      : formatPretty(record, this.#options);
    const bytes = this.#encoder.encode(`${text}\n`);
    try {
      let written = 0;
      while (written < bytes.length) written += this.#writer.writeSync(bytes.subarray(written));
    } catch {
      // The reader has gone (a closed pipe or terminal). The log file still gets every line, and there is nobody left to tell.
      this.#broken = true;
    }
  }
}
