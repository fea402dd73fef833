import {
  CommandError,
  type CommandMessage,
  commandProtocol,
  maxAnswerBytes,
  parseCommandAnswer,
  type RemoteCommand,
} from "../../core/commands/mod.ts";
import { readLine } from "../../core/control/read_line.ts";
import { errorCode, errorText } from "../../core/errors/mod.ts";
import type { NodeId } from "../../core/identity/types.ts";
import type { HostServices } from "../../core/plugin/types.ts";
import { Deadline, underSignal } from "../../core/streams/mod.ts";

export interface RemoteControlOptions {
  readonly openStream: HostServices["openStream"];
  readonly network: () => Promise<string>;
  readonly now: () => number;
  /** 16 bytes, hex. */
  readonly nonce: () => string;
  /** For all nodes of one call together. @default 20000 */
  readonly timeoutMs?: number;
}

/** What became of a command at one node. */
export interface CommandResult {
  readonly [key: string]: string | boolean;
  readonly node: NodeId;
  readonly ok: boolean;
  /** The node's own words, or why there are none. */
  readonly detail: string;
  /** Empty when it is ok. */
  readonly code: string;
}

/** Nodes asked at a time. */
const maxAtOnce = 32;
/** Below the time an API call has. */
const defaultTimeoutMs = 20_000;

/** Tells nodes what to do, and hears what they say to it. */
export class RemoteControl {
  readonly #options: RemoteControlOptions;

  constructor(options: RemoteControlOptions) {
    this.#options = options;
  }

  /** Asks every node for itself; none keeps the others from being asked, but the time is for all of them together. */
  async tell(
    orders: ReadonlyMap<NodeId, RemoteCommand>,
    signal: AbortSignal,
  ): Promise<readonly CommandResult[]> {
    const network = await this.#options.network();
    using deadline = new Deadline(this.#options.timeoutMs ?? defaultTimeoutMs, signal);
    const waiting = [...orders];
    const results = new Map<NodeId, CommandResult>();
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [node, command] = next;
        results.set(node, await this.#result(node, command, network, deadline.signal));
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxAtOnce, orders.size) }, work));
    return [...orders.keys()].map((node) => results.get(node)!);
  }

  async #result(
    node: NodeId,
    command: RemoteCommand,
    network: string,
    signal: AbortSignal,
  ): Promise<CommandResult> {
    try {
      return { node, ok: true, detail: await this.#ask(node, command, network, signal), code: "" };
    } catch (error) {
      return { node, ok: false, detail: errorText(error), code: errorCode(error) };
    }
  }

  async #ask(
    target: NodeId,
    command: RemoteCommand,
    network: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { openStream, now, nonce } = this.#options;
    if (signal.aborted) throw late(target);
    const message: CommandMessage = { network, target, nonce: nonce(), issuedAt: now(), command };
    try {
      const request = { node: target, protocol: commandProtocol, port: 0 };
      await using stream = await openStream(request, { signal });
      const answer = await underSignal(stream, signal, "a remote command", async () => {
        await stream.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
        const { line } = await readLine(stream, maxAnswerBytes);
        await stream.closeWrite();
        return parseCommandAnswer(line);
      });
      if (answer.ok) return answer.detail;
      throw new CommandError("REMOTE_COMMAND_DENIED", answer.error, { code: answer.code });
    } catch (error) {
      throw signal.aborted ? late(target, error) : error;
    }
  }
}

function late(target: NodeId, cause?: unknown): CommandError {
  return new CommandError(
    "REMOTE_TIMEOUT",
    `node ${target} did not answer in time`,
    { target },
    cause,
  );
}
