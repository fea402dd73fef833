import { join } from "node:path";
import { dataFiles, type StatusReport } from "../../core/control/types.ts";
import { type CliCall, commandLine } from "./cli.ts";
import { LogTail } from "./log_tail.ts";
import { allEnded, descendants, isRunning, kill9 } from "./processes.ts";
import { type ApiAnswer, UnixHttp } from "./unix_http.ts";
import { eventually, type Truthy } from "./wait.ts";

/** How a daemon is started. */
export interface StartDaemonOptions extends CliCall {
  readonly dataDir: string;
  /**
   * Until its control socket answers `GET /api/status`.
   * @default {60000}
   */
  readonly readyMs?: number;
}

/**
 * Starts a daemon and waits until it answers on its control socket.
 *
 * ```ts
 * await using a = await startDaemon({ args: ["start"], dataDir, netns: await net.node("a") });
 * ```
 * @throws {Error} it ends or does not answer in time; with its logs
 */
export async function startDaemon(options: StartDaemonOptions): Promise<Daemon> {
  const daemon = new Daemon(options);
  try {
    await daemon.ready(options.readyMs ?? 60_000);
    return daemon;
  } catch (error) {
    await daemon.kill9();
    throw daemon.failure("Not started", error);
  }
}

/**
 * A running daemon. Disposing stops it as a service manager would, and fails if it does not stop, stops with an error, or
 * had crashed before.
 */
export class Daemon implements AsyncDisposable {
  readonly dataDir: string;
  readonly #child: Deno.ChildProcess;
  readonly #http: UnixHttp;
  readonly #tail = new LogTail();
  readonly #reading: Promise<unknown>;
  readonly #exited = new AbortController();
  readonly #status: Promise<Deno.CommandStatus>;
  #pid: number;
  #over = false;

  /** Only starts the process; use `startDaemon()`. */
  constructor(options: StartDaemonOptions) {
    this.dataDir = options.dataDir;
    const [program = "", ...args] = commandLine(options);
    this.#child = new Deno.Command(program, {
      args,
      env: { NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#pid = this.#child.pid;
    this.#reading = Promise.all([
      this.#tail.read(this.#child.stdout),
      this.#tail.read(this.#child.stderr),
    ]);
    this.#status = this.#child.status.then((status) => {
      this.#exited.abort(new Error(`The daemon has ended with ${describeExit(status)}`));
      return status;
    });
    this.#http = new UnixHttp(join(options.dataDir, dataFiles.controlSocket));
  }

  /** The process that serves: not the one that was started, if that one is only a launcher. */
  get pid(): number {
    return this.#pid;
  }

  /** Whether it has not ended yet. */
  get running(): boolean {
    return !this.#exited.signal.aborted;
  }

  /** Waits for the control socket; `startDaemon()` has done so. @throws {Error} */
  async ready(timeoutMs: number): Promise<void> {
    const status = await eventually((signal) => this.status(signal), {
      what: "the control socket answers",
      timeoutMs,
      signal: this.#exited.signal,
    });
    this.#pid = status.self.pid;
  }

  /** `GET /api/status`. @throws {Error} it does not answer with 200 */
  async status(signal: AbortSignal = AbortSignal.timeout(30_000)): Promise<StatusReport> {
    const { status, body } = await this.#http.request("GET", "/api/status", { signal });
    if (status !== 200) throw new Error(`GET /api/status: ${status} ${JSON.stringify(body)}`);
    return body as StatusReport;
  }

  /** One request on the control socket; every status is an answer. @throws {Error} it does not answer */
  async api(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const signal = AbortSignal.timeout(60_000);
    return await this.#http.request(method, path, {
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }

  /** The end of what it wrote to stdout and stderr, at least 128 Ki characters. */
  logs(): string {
    return this.#tail.toString();
  }

  /** Like `eventually()`, with the logs in the failure message, and over at once when the daemon ends. */
  async eventually<T>(
    what: string,
    check: (signal: AbortSignal) => T | Promise<T>,
    timeoutMs?: number,
  ): Promise<Truthy<T>> {
    const signal = this.#exited.signal;
    try {
      return await eventually(check, {
        what,
        signal,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
    } catch (error) {
      throw this.failure("In vain", error);
    }
  }

  /** An error with the daemon's logs in its message. */
  failure(title: string, cause: unknown): Error {
    const text = cause instanceof Error ? cause.message : String(cause);
    return new Error(`${title}: ${text}\n--- logs of ${this.dataDir}\n${this.logs()}---`, {
      cause,
    });
  }

  /**
   * Asks it to end, by a signal or by the API as `pulse stop` does, and waits until it and all it started have ended.
   * @throws {Error} not in time (then it is killed), with its logs
   */
  async stop(
    how: "SIGTERM" | "SIGINT" | "api" = "SIGTERM",
    timeoutMs = 20_000,
  ): Promise<Deno.CommandStatus> {
    const family = this.#family();
    try {
      if (how === "api") await this.api("POST", "/api/stop");
      else if (this.running) this.#child.kill(how);
      await allEnded(family, timeoutMs);
    } catch (error) {
      await this.kill9();
      throw this.failure(`Not stopped by ${how}`, error);
    }
    return await this.#end();
  }

  /** SIGKILL to it and all it started. Idempotent. */
  async kill9(): Promise<void> {
    if (this.#over) return;
    // Parents first: a launcher must not start its child again.
    const family = this.#family();
    for (const pid of family) kill9(pid);
    await allEnded(family);
    await this.#end();
  }

  #family(): number[] {
    if (!isRunning(this.#child.pid)) return isRunning(this.#pid) ? [this.#pid] : [];
    return [...new Set([this.#child.pid, ...descendants(this.#child.pid)])];
  }

  async #end(): Promise<Deno.CommandStatus> {
    this.#over = true;
    const status = await this.#status;
    await this.#reading;
    this.#http[Symbol.dispose]();
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return;
    const status = await this.stop();
    if (!status.success) throw this.failure("Badly ended", new Error(describeExit(status)));
  }
}

function describeExit({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `code ${code}` : signal;
}
