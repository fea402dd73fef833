import type { ByteStream } from "../../core/sessions/types.ts";

/** How long it is worth going on. Milliseconds. */
export interface AfterFarEndOptions {
  /** Since something was last read from stdin. */
  silentMs(): number;
  /** @default {10000} */
  readonly lingerMs?: number;
  /** @default {250} */
  readonly lookMs?: number;
}

const nothing = new Uint8Array(0);

/**
 * Waits until a tunnel whose far end has ended its side is of no more use: Deno cannot close this process's stdout, so a program
 * that waits for its end, as ssh does when the server has gone, would wait for ever. What still comes on stdin goes on to the far
 * end; after a silence of `lingerMs` it is over.
 *
 * A daemon that has given the tunnel up closes the socket whole, which looks like the far end's orderly end until something is
 * written; nothing at all will do.
 * @throws {StreamResetError} the tunnel was cut
 */
export async function afterFarEnd(
  stream: Pick<ByteStream, "write">,
  { silentMs, lingerMs = 10_000, lookMs = 250 }: AfterFarEndOptions,
): Promise<void> {
  do {
    await stream.write(nothing);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, lookMs);
    await promise;
  } while (silentMs() < lingerMs);
}
