import type { NodeId } from "../identity/types.ts";
import { CommandError } from "./errors.ts";
import type { CommandMessage } from "./message.ts";

export interface CommandSender {
  /** The node at the other end of the stream, as its certificate says. */
  readonly origin: NodeId;
  /** The node the CA has granted the role of the scribe; null: nobody. */
  readonly scribe: NodeId | null;
  /** Wall clock here, milliseconds. */
  readonly now: number;
}

/** How far the two clocks may be apart. */
export const clockToleranceMs = 5 * 60_000;
/** Commands remembered: nothing is forgotten before it would be too old anyway. */
export const maxRemembered = 4_096;

/**
 * Decides whether a command is to be obeyed. The stream has proved who sent it; this checks that it is the scribe, that it means this
 * node, and that it was not here before.
 */
export class CommandGuard {
  readonly #self: NodeId;
  readonly #network: string;
  /** Nonce -> when it was issued; the order is that of arrival. */
  readonly #seen = new Map<string, number>();

  constructor(self: NodeId, network: string) {
    this.#self = self;
    this.#network = network;
  }

  /** @throws {CommandError} REMOTE_COMMAND_DENIED, REMOTE_COMMAND_REPLAYED, REMOTE_COMMAND_LIMIT */
  admit({ network, target, nonce, issuedAt }: CommandMessage, sender: CommandSender): void {
    const { origin, scribe, now } = sender;
    if (scribe === null || origin !== scribe) {
      throw denied(
        scribe === null
          ? "this network has no scribe"
          : `${origin} is not the network's scribe, ${scribe} is`,
      );
    }
    if (network !== this.#network) throw denied(`it is for network "${network}"`);
    if (target !== this.#self) throw denied(`it is for node ${target}`);
    if (!(Math.abs(now - issuedAt) <= clockToleranceMs)) {
      throw new CommandError(
        "REMOTE_COMMAND_REPLAYED",
        `the command is ${
          Math.round((now - issuedAt) / 1000)
        } s old by this node's clock; set the clocks of both right`,
        { issuedAt },
      );
    }
    this.#forget(now);
    if (this.#seen.has(nonce)) {
      throw new CommandError("REMOTE_COMMAND_REPLAYED", "the command was here before", { nonce });
    }
    if (this.#seen.size >= maxRemembered) {
      throw new CommandError(
        "REMOTE_COMMAND_LIMIT",
        `the node has had ${maxRemembered} commands within minutes; try again later`,
      );
    }
    this.#seen.set(nonce, issuedAt);
  }

  #forget(now: number): void {
    for (const [nonce, issuedAt] of this.#seen) {
      if (now - issuedAt > clockToleranceMs) this.#seen.delete(nonce);
    }
  }
}

function denied(why: string): CommandError {
  return new CommandError("REMOTE_COMMAND_DENIED", `the command is not obeyed: ${why}`);
}
