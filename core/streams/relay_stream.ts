import { Deadline, underSignal } from "./abort.ts";
import { BufferedStream } from "./buffered_stream.ts";
import { openTimeoutMs, type StreamDeps, type StreamOpener } from "./deps.ts";
import { StreamError } from "./errors.ts";
import { pipe } from "./pipe.ts";
import { encodeHeader, type StreamHeader } from "./stream_header.ts";

/**
 * Carries a stream one hop further: the header with the position moved on, then bytes both ways, untouched and unread.
 * Resolves when both directions have ended.
 * @throws {StreamError} STREAM_NO_LINK when the next hop cannot be had; nothing was carried then
 */
export async function relayStream(
  deps: StreamDeps,
  from: BufferedStream,
  header: StreamHeader,
): Promise<void> {
  const next = header.path[header.position + 1];
  const session = next === undefined ? undefined : deps.session(next);
  if (session === undefined) {
    throw new StreamError("STREAM_NO_LINK", `Relay ${deps.self} has no link to ${next}`, { next });
  }
  await pipe(from, await openOnward(deps, session, header));
}

async function openOnward(
  deps: StreamDeps,
  session: StreamOpener,
  header: StreamHeader,
): Promise<BufferedStream> {
  const next = session.peer.id;
  // Half of the opener's patience, so that the reason arrives before it gives up.
  using deadline = new Deadline(openTimeoutMs / 2);
  try {
    const onward = new BufferedStream(await session.openStream({ signal: deadline.signal }));
    await underSignal(
      onward,
      deadline.signal,
      `The stream to ${next}`,
      () => onward.write(encodeHeader({ ...header, position: header.position + 1 })),
    );
    return onward;
  } catch (cause) {
    throw new StreamError("STREAM_NO_LINK", `Relay ${deps.self} could not reach ${next}`, {
      next,
    }, cause);
  }
}
