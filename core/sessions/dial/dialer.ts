import { errorText } from "../../errors/mod.ts";
import { DialError, LinkRefusedError } from "../errors.ts";
import { type DialTarget, type Session, SessionCloseCode, type Transport } from "../types.ts";

export interface DialBestOptions {
  readonly transports: {
    readonly quic: Pick<Transport, "dial"> | undefined;
    readonly websocket: Pick<Transport, "dial"> | undefined;
  };
  readonly signal: AbortSignal;
  /** Head start of QUIC. @default 300 ms */
  readonly delayMs?: number;
  /** How long a WebSocket that won waits for QUIC to come in after all. @default 300 ms */
  readonly graceMs?: number;
}

/** Waits, or less when one of the signals aborts. */
function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const all = AbortSignal.any([...signals]);
  const wake = () => resolve();
  if (all.aborted) wake();
  all.addEventListener("abort", wake, { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    all.removeEventListener("abort", wake);
  });
}

/**
 * Happy eyeballs (RFC 8305 in spirit): QUIC first, WebSocket after 300 ms or as soon as QUIC has failed. The first to work wins,
 * but QUIC that comes in shortly after a WebSocket is preferred. The loser is closed.
 * @throws {LinkRefusedError} the peer was reached and said no: another transport would hear the same
 * @throws {DialError} nothing worked; the message holds each transport's reason
 */
export async function dialBest(target: DialTarget, options: DialBestOptions): Promise<Session> {
  const { quic, websocket } = options.transports;
  if (quic === undefined || websocket === undefined) {
    const only = quic ?? websocket;
    if (only === undefined) throw new DialError("No transport is switched on");
    return await only.dial(target, { signal: options.signal });
  }
  const loser = new AbortController();
  const signal = AbortSignal.any([options.signal, loser.signal]);
  const headStart = new AbortController();
  const viaQuic = quic.dial(target, { signal });
  viaQuic.catch(() => headStart.abort());
  const viaWebSocket = (async () => {
    await pause(options.delayMs ?? 300, [headStart.signal, signal]);
    signal.throwIfAborted();
    return await websocket.dial(target, { signal });
  })();
  try {
    return await decide(viaQuic, viaWebSocket, options);
  } catch (error) {
    throw explain(target, error);
  } finally {
    loser.abort();
  }
}

async function decide(
  viaQuic: Promise<Session>,
  viaWebSocket: Promise<Session>,
  options: DialBestOptions,
): Promise<Session> {
  const refused = (via: Promise<Session>) =>
    via.catch((error: unknown) => {
      // A refusal is an answer: it ends the race.
      if (error instanceof LinkRefusedError) return error;
      throw error;
    });
  const first = await Promise.any([refused(viaQuic), refused(viaWebSocket)]);
  if (first instanceof LinkRefusedError) {
    closeLater(viaQuic);
    closeLater(viaWebSocket);
    throw first;
  }
  if (first.kind !== "websocket") {
    closeLater(viaWebSocket);
    return first;
  }
  const settled = new AbortController();
  const better = viaQuic.then((session) => session, () => undefined);
  better.then(() => settled.abort());
  await pause(options.graceMs ?? 300, [settled.signal, options.signal]);
  if (settled.signal.aborted) {
    const session = await better;
    if (session !== undefined) {
      closeLater(viaWebSocket);
      return session;
    }
  }
  closeLater(viaQuic);
  return first;
}

/** The other dial may still succeed; nobody wants it then. */
function closeLater(dial: Promise<Session>): void {
  dial.then(
    (session) => session.close(SessionCloseCode.replaced, "another transport was quicker"),
    () => {/* it lost and failed: the same to us */},
  );
}

function explain(target: DialTarget, error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const [quic, websocket] = error.errors.map(errorText);
  return new DialError(
    `${target.host}:${target.port} cannot be reached: QUIC: ${quic}; WebSocket: ${websocket}`,
    { host: target.host, port: target.port },
    error,
  );
}
