import { JoinError } from "./join_errors.ts";
import { joinMessageType, joinTypeOf, maxJoinMessages } from "./join_messages.ts";

/** The part of a `JoinConversation` both ends need: whole messages in order, `null` at the end. */
export interface JoinChannel {
  receive(): Promise<Uint8Array | null>;
  send(message: Uint8Array): Promise<void>;
}

/** A join as a listener hands it over: messages of at most 16 KiB, at most 8 each way, 30 s in all. */
export interface JoinConversation extends JoinChannel {
  /** `ip:port` of whoever asks. */
  readonly remoteAddress: string;
}

/**
 * Runs one end of a conversation with a time limit. When that is over the promise rejects; the owner of the channel ends it, which
 * ends whatever the conversation still waits for.
 * @throws {JoinError} JOIN_TIMEOUT
 */
export async function exchangeWithin<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  conversation: () => Promise<T>,
): Promise<T> {
  const over = Promise.withResolvers<never>();
  const giveUp = (why: string) => over.reject(new JoinError("JOIN_TIMEOUT", why));
  const timer = setTimeout(
    () => giveUp(`no end after ${timeoutMs / 1000} s: the CA may be out of reach, try again`),
    timeoutMs,
  );
  const abort = () => giveUp("the conversation was given up");
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([over.promise, conversation()]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/**
 * Carries a join between a stranger and the CA, as a relay does: messages alternate, the stranger begins. Ends when either side does
 * once the CA has answered.
 */
export async function relayJoin(stranger: JoinChannel, ca: JoinChannel): Promise<void> {
  for (let i = 0; i < maxJoinMessages; i++) {
    const question = await stranger.receive();
    if (question === null) return;
    await ca.send(question);
    const answer = await ca.receive();
    if (answer === null) return;
    await stranger.send(answer);
    if (joinTypeOf(answer) === joinMessageType.answer) return;
  }
}
