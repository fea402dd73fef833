import {
  type CommandAnswer,
  CommandGuard,
  type CommandMessage,
  maxCommandBytes,
  parseCommand,
} from "../commands/mod.ts";
import { readLine } from "../control/read_line.ts";
import { errorCode, errorText } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import { Deadline, type IncomingStream, underSignal } from "../streams/mod.ts";

export interface RemoteCommandsOptions {
  readonly self: NodeId;
  readonly network: string;
  /** The node the CA has granted the role of the scribe; null: nobody. */
  scribe(): Promise<NodeId | null>;
  /** Begins an orderly stop, to be started again. */
  restart(): void;
  /**
   * Changes all of the settings or none.
   * @returns what is so now
   * @throws {PulseError} there is no such setting, or not this value
   */
  configure(settings: { readonly [key: string]: string }): string;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  readonly log: LogFn;
}

/** For the command to arrive, and for its answer to be taken. */
const stepTimeoutMs = 10_000;

/** Obeys commands of the network's scribe: one line in, one line out. */
export class RemoteCommands {
  readonly #options: RemoteCommandsOptions;
  readonly #guard: CommandGuard;

  constructor(options: RemoteCommandsOptions) {
    this.#options = options;
    this.#guard = new CommandGuard(options.self, options.network);
  }

  /** Serves one stream to its end. */
  async serve(stream: ByteStream, from: IncomingStream): Promise<void> {
    const { log } = this.#options;
    const peer = from.origin.id;
    let command: CommandMessage["command"] | undefined;
    let answer: CommandAnswer;
    try {
      using deadline = new Deadline(stepTimeoutMs);
      const { line } = await underSignal(
        stream,
        deadline.signal,
        "a command",
        () => readLine(stream, maxCommandBytes),
      );
      const message = parseCommand(line);
      this.#guard.admit(message, {
        origin: peer,
        scribe: await this.#options.scribe(),
        now: this.#options.now(),
      });
      command = message.command;
      answer = { ok: true, detail: this.#obey(command) };
      log("info", "remote command obeyed", { peer, command: command.kind });
    } catch (error) {
      answer = { ok: false, code: errorCode(error), error: errorText(error) };
      log("warn", "remote command refused", { peer, code: answer.code, error: answer.error });
    }
    try {
      using deadline = new Deadline(stepTimeoutMs);
      const what = "the answer to a command";
      await underSignal(stream, deadline.signal, what, () => reply(stream, answer));
    } catch (error) {
      log("debug", "the answer to a command did not arrive", { peer, error: errorText(error) });
    }
    // Only now: a node that stops takes the answer's link with it.
    if (answer.ok && command?.kind === "restart") this.#options.restart();
  }

  /** @throws {PulseError} */
  #obey(command: CommandMessage["command"]): string {
    if (command.kind === "restart") return "restarting";
    return this.#options.configure(command.settings);
  }
}

/** Sends the answer and waits until the other end has ended too: then it has arrived. */
async function reply(stream: ByteStream, answer: CommandAnswer): Promise<void> {
  await stream.write(new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
  await stream.closeWrite();
  while (await stream.read() !== null) { /* nothing more is due */ }
}
