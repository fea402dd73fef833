import { errorText } from "../errors/mod.ts";
import { frameJoin, joinTimeoutMs, relayJoin } from "../identity/mod.ts";
import type { JoinConversation, LogFn } from "../plugin/types.ts";
import { Deadline, type MeshStream } from "../streams/mod.ts";

export interface JoinGateOptions {
  /** The CA plugin of this node, when it has one; false when it has none. */
  local(conversation: JoinConversation): Promise<boolean>;
  /** A stream to a node whose certificate says it is a CA. */
  openToCa(signal: AbortSignal): Promise<MeshStream>;
  readonly log: LogFn;
}

/**
 * Takes a stranger's join conversation to the CA: here, or by way of the mesh. A relay passes messages on unread; the two ends
 * prove themselves to each other, so it can neither learn the token nor put itself in between.
 */
export async function serveJoin(
  conversation: JoinConversation,
  options: JoinGateOptions,
): Promise<void> {
  if (await options.local(conversation)) return;
  using deadline = new Deadline(joinTimeoutMs);
  let stream: MeshStream | undefined;
  const cut = () => stream?.reset();
  deadline.signal.addEventListener("abort", cut, { once: true });
  try {
    stream = await options.openToCa(deadline.signal);
    await relayJoin(conversation, frameJoin(stream, conversation.remoteAddress));
    await stream.closeWrite();
  } catch (error) {
    options.log("warn", "a join could not be taken to the CA", {
      remote: conversation.remoteAddress,
      error: errorText(error),
    });
  } finally {
    deadline.signal.removeEventListener("abort", cut);
    stream?.reset();
  }
}
