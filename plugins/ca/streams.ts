import { errorText } from "../../core/errors/mod.ts";
import { encodeAnswer } from "../../core/identity/join_messages.ts";
import { exchangeWithin, frameJoin, joinTimeoutMs } from "../../core/identity/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import type { IncomingStream } from "../../core/streams/types.ts";
import { JoinRefusal } from "./errors.ts";
import type { JoinDesk } from "./join_desk.ts";
import type { Ledger } from "./ledger.ts";

/** How long a stream may take to end after the last word. */
const lingerMs = 5000;

/** `ca.join`: a stranger's join that a relay carries here. */
export async function serveJoinStream(
  desk: JoinDesk,
  stream: ByteStream,
  from: IncomingStream,
  signal: AbortSignal,
): Promise<void> {
  await desk.serve(frameJoin(stream, `relay ${from.origin.id}`));
  await finish(stream, signal);
}

/** `ca.renew`: a member asks for its next certificate; the stream itself proves who it is. */
export async function serveRenewal(
  ledger: Ledger,
  stream: ByteStream,
  from: IncomingStream,
  options: { readonly now: () => number; readonly signal: AbortSignal; readonly log: LogFn },
): Promise<void> {
  const { now, signal, log } = options;
  try {
    await exchangeWithin(joinTimeoutMs, signal, async () => {
      const channel = frameJoin(stream, from.origin.id);
      const csr = await channel.receive();
      if (csr === null) return;
      await channel.send(renewalAnswer(ledger, from, csr, now(), log));
    });
  } catch (error) {
    log("info", "renewal ended early", { peer: from.origin.id, error: errorText(error) });
    stream.reset();
    return;
  }
  await finish(stream, signal);
}

function renewalAnswer(
  ledger: Ledger,
  from: IncomingStream,
  csr: Uint8Array,
  now: number,
  log: LogFn,
): Uint8Array {
  const answer = (certificate: Uint8Array, reason: string) =>
    // The stream is authenticated end to end: there is nothing for a MAC to add.
    encodeAnswer({ certificate, reason, mac: new Uint8Array(32) });
  try {
    return answer(ledger.renew(from.origin, csr, now), "");
  } catch (error) {
    if (error instanceof JoinRefusal) return answer(new Uint8Array(0), error.message);
    log("error", "renewal failed at the CA", { peer: from.origin.id, error: errorText(error) });
    return answer(
      new Uint8Array(0),
      "the CA cannot issue certificates at the moment, try again later",
    );
  }
}

/** Ends our side and waits for the other one's end, but not for ever. */
async function finish(stream: ByteStream, signal: AbortSignal): Promise<void> {
  try {
    await exchangeWithin(lingerMs, signal, async () => {
      await stream.closeWrite();
      while (await stream.read() !== null) { /* nothing more is due, and nothing more is heard */ }
    });
  } catch {
    // Everything that mattered was said; what is left of the stream goes.
    stream.reset();
  }
}
