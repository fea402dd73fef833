import { networkServerName, type NodeId, nodeServerName, trustOf } from "../../identity/mod.ts";
import { errorText } from "../../errors/mod.ts";
import { DialError, foreignHint, LinkRefusedError } from "../errors.ts";
import {
  type DialTarget,
  type LinkPolicy,
  SessionCloseCode,
  type SessionKind,
  type SessionLimits,
} from "../types.ts";
import { dialLink, openLink } from "./quic_link.ts";
import { QuicSession } from "./quic_session.ts";
import { refusedDial, where } from "./refusal.ts";
import { type QuicCongestion, transportOptions } from "./transport_options.ts";

export interface QuicDialContext {
  readonly endpoint: Deno.QuicEndpoint;
  readonly policy: LinkPolicy;
  readonly limits: SessionLimits;
  readonly congestion: QuicCongestion;
}

/** Who is at an address, as mutual TLS proves it. Whoever can be in the middle may have passed it on: redial by the id. */
export async function learnPeer(
  context: QuicDialContext,
  target: DialTarget,
  signal: AbortSignal,
): Promise<NodeId> {
  const { policy } = context;
  const { connection, early } = await connect(
    context,
    target,
    networkServerName(policy.network),
    signal,
  );
  try {
    const link = await openLink(connection, policy, undefined, { early, signal });
    const { id } = link.peer;
    connection.close({ closeCode: SessionCloseCode.normal, reason: "" });
    if (id === policy.credentials().certificate.id) {
      throw new LinkRefusedError(`${where(target)} is this node itself`, SessionCloseCode.self);
    }
    return id;
  } catch (error) {
    signal.throwIfAborted();
    throw await refusedDial(connection, target, error);
  } finally {
    connection.close({ closeCode: SessionCloseCode.normal, reason: "" });
  }
}

/** A session with the node `expect` at an IP address. */
export async function dialPeer(
  context: QuicDialContext,
  target: DialTarget,
  expect: NodeId,
  options: { signal: AbortSignal; kind: SessionKind },
): Promise<QuicSession> {
  const { policy, limits } = context;
  const { signal, kind } = options;
  if (expect === policy.credentials().certificate.id) {
    throw new LinkRefusedError(`${where(target)} is this node itself`, SessionCloseCode.self);
  }
  const name = nodeServerName(expect, policy.network);
  const { connection, early } = await connect(context, target, name, signal);
  const giveUp = () => connection.close({ closeCode: SessionCloseCode.normal, reason: "given up" });
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const link = await dialLink(connection, policy, expect, { early, signal });
    signal.throwIfAborted();
    return new QuicSession(link, limits, kind);
  } catch (error) {
    giveUpIfAborted(signal, giveUp);
    throw await refusedDial(connection, target, error);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function giveUpIfAborted(signal: AbortSignal, giveUp: () => void): void {
  if (!signal.aborted) return;
  giveUp();
  signal.throwIfAborted();
}

async function connect(
  { endpoint, policy, limits, congestion }: QuicDialContext,
  target: DialTarget,
  serverName: string,
  signal: AbortSignal,
): Promise<{ connection: Deno.QuicConn; early: boolean }> {
  signal.throwIfAborted();
  let connecting: Deno.QuicConn | Promise<Deno.QuicConn>;
  try {
    connecting = Deno.connectQuic({
      endpoint,
      hostname: target.host,
      port: target.port,
      serverName,
      // Added to the public roots, which cannot matter: no public CA signs names under `.internal`.
      caCerts: trustOf(policy.credentials()).anchors.map(({ pem }) => pem),
      zeroRtt: true,
      ...transportOptions(limits, congestion, "dialler"),
    });
  } catch (error) {
    throw dialError(target, error);
  }
  if (!(connecting instanceof Promise)) return { connection: connecting, early: true };
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return { connection: await Promise.race([connecting, promise]), early: false };
  } catch (error) {
    // Deno cannot give up a connection attempt; it ends by itself at the idle time-out.
    connecting.then((late) => late.close({ closeCode: 0, reason: "given up" }), () => {});
    signal.throwIfAborted();
    throw dialError(target, error);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function dialError(target: DialTarget, error: unknown): DialError {
  const text = errorText(error);
  const foreign = /UnknownIssuer|BadSignature|not valid for name/.test(text);
  const hint = foreign ? foreignHint : "";
  return new DialError(
    `QUIC to ${where(target)} failed: ${text}${hint}`,
    { host: target.host, port: target.port, foreign },
    error,
  );
}
