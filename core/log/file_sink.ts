import { errorText, PulseError } from "../errors/mod.ts";
import { formatJson } from "./format_json.ts";
import type { LogRecord, LogSink } from "./log_record.ts";

/** Size at which the log file becomes `<path>.1`. */
export const defaultRotateBytes = 10 * 1024 * 1024;

export interface FileSinkOptions {
  readonly path: string;
  /** @default 10485760 */
  readonly rotateBytes?: number;
  /** Told once per failure streak that lines are being lost (a full disk); the daemon goes on without its log. */
  readonly onFailure?: (text: string) => void;
}

/**
 * JSON lines appended to a file of mode 0600. Before a line would take the file beyond its size the file is renamed to `<path>.1`,
 * replacing the one before it, so the log never takes more than twice that size.
 */
export class FileSink implements LogSink, Disposable {
  readonly #path: string;
  readonly #rotateBytes: number;
  readonly #onFailure: (text: string) => void;
  readonly #encoder = new TextEncoder();
  #file: Deno.FsFile | null;
  #size: number;
  #failing = false;

  /** @throws {PulseError} LOG_FILE */
  constructor(options: FileSinkOptions) {
    this.#path = options.path;
    this.#rotateBytes = options.rotateBytes ?? defaultRotateBytes;
    this.#onFailure = options.onFailure ?? (() => {});
    try {
      this.#file = openAppend(options.path);
      const { isFile, mode, size } = this.#file.statSync();
      // An older file may have come with wider permissions; a device is not ours to change.
      if (isFile && ((mode ?? 0) & 0o077) !== 0) Deno.chmodSync(options.path, 0o600);
      this.#size = size;
    } catch (cause) {
      throw new PulseError(
        "LOG_FILE",
        `The log file ${options.path} cannot be opened: ${errorText(cause)}`,
        { path: options.path },
        cause,
      );
    }
  }

  write(record: LogRecord): void {
    const line = this.#encoder.encode(formatJson(record) + "\n");
    try {
      if (this.#size > 0 && this.#size + line.length > this.#rotateBytes) this.#rotate();
      this.#file ??= openAppend(this.#path);
      let written = 0;
      while (written < line.length) written += this.#file.writeSync(line.subarray(written));
      this.#size += line.length;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        this.#failing = true;
        this.#onFailure(`log lines are being lost: ${this.#path}: ${errorText(error)}`);
      }
    }
  }

  #rotate(): void {
    this.#file?.close();
    this.#file = null;
    Deno.renameSync(this.#path, `${this.#path}.1`);
    this.#size = 0;
    this.#file = openAppend(this.#path);
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = null;
  }
}

function openAppend(path: string): Deno.FsFile {
  return Deno.openSync(path, { append: true, create: true, mode: 0o600 });
}
