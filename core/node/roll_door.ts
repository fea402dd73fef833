import { errorText } from "../errors/mod.ts";
import type { HostPort } from "../address/mod.ts";
import { formatHostPort } from "../address/mod.ts";
import { joinMessageType, joinTypeOf } from "../identity/join_messages.ts";
import type { JoinChannel, JoinConversation } from "../identity/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import { DialError, LinkRefusedError } from "../sessions/errors.ts";
import { SessionCloseCode } from "../sessions/types.ts";
import type { NodeTrust } from "./node_trust.ts";

/** An address is asked again after this long. */
const askAgainMs = 30_000;
/** Addresses whose last question is remembered. */
const maxAsked = 256;

type Word = Pick<NodeTrust, "roll" | "adopt">;

/**
 * The door where strangers join, for those who are no strangers: a node that missed the beginning of a CA roll can link to nobody, and
 * nobody to it. So two nodes may tell each other here, unproven, what the CAs have said; the word proves itself.
 */
export async function serveRollDoor(
  conversation: JoinConversation,
  trust: Word,
  options: { readonly log: LogFn; join(conversation: JoinConversation): Promise<void> },
): Promise<void> {
  const first = await conversation.receive();
  if (first === null) return;
  if (joinTypeOf(first) !== joinMessageType.roll) {
    return await options.join(beginningWith(first, conversation));
  }
  await conversation.send(message(trust));
  hear(trust, first, conversation.remoteAddress, options.log);
}

/** Tells whoever answers at the address what this node knows of CA rolls, and hears what it knows. */
export async function askAtDoor(
  conversation: JoinChannel,
  trust: Word,
  options: { readonly where: string; readonly log: LogFn },
): Promise<void> {
  await conversation.send(message(trust));
  const answer = await conversation.receive();
  if (answer !== null && joinTypeOf(answer) === joinMessageType.roll) {
    hear(trust, answer, options.where, options.log);
  }
}

/** Which failed dials are worth a question at the door, and when one is due again. Sans I/O. */
export class DoorBell {
  readonly #asked = new Map<string, number>();

  /** @param now monotonic, ms */
  due(address: HostPort, error: unknown, now: number): boolean {
    if (!mayBeARoll(error)) return false;
    const where = formatHostPort(address);
    const last = this.#asked.get(where);
    if (last !== undefined && now - last < askAgainMs) return false;
    this.#asked.delete(where);
    if (this.#asked.size >= maxAsked) this.#asked.delete(this.#asked.keys().next().value!);
    this.#asked.set(where, now);
    return true;
  }
}

/** Whether one end did not believe the other's certificate. */
function mayBeARoll(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(mayBeARoll);
  if (error instanceof LinkRefusedError) {
    return error.closeCode === SessionCloseCode.unauthenticated;
  }
  if (error instanceof DialError && error.fields["foreign"] === true) return true;
  return error instanceof Error && error.cause !== undefined && mayBeARoll(error.cause);
}

function message({ roll }: Word): Uint8Array {
  const word = roll?.bytes ?? new Uint8Array(0);
  const out = new Uint8Array(1 + word.length);
  out[0] = joinMessageType.roll;
  out.set(word, 1);
  return out;
}

function hear(trust: Word, heard: Uint8Array, from: string, log: LogFn): void {
  if (heard.length === 1) return;
  try {
    trust.adopt(heard.subarray(1));
  } catch (error) {
    log("debug", "what was said of a CA roll is not taken", { from, error: errorText(error) });
  }
}

function beginningWith(first: Uint8Array, conversation: JoinConversation): JoinConversation {
  let begun = false;
  return {
    remoteAddress: conversation.remoteAddress,
    send: (bytes) => conversation.send(bytes),
    receive: () => {
      if (begun) return conversation.receive();
      begun = true;
      return Promise.resolve(first);
    },
  };
}
