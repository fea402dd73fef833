import type { NodeId } from "../../identity/mod.ts";
import { StreamResetError } from "../errors.ts";
import { exchangeLinkHello } from "../link/mod.ts";
import { tlsAccept, tlsConnect, type TlsStream } from "../tls/mod.ts";
import { type ByteStream, type LinkPolicy, SessionCloseCode } from "../types.ts";
import { DatagramInbox } from "./datagram_inbox.ts";
import { IncomingStreams } from "./incoming_streams.ts";
import type { QuicLink } from "./quic_session.ts";
import { QuicStream, type QuicStreamOwner } from "./quic_stream.ts";

/**
 * The link handshake's stream has no session yet that could agree about resets: a failure ends the whole connection.
 */
const unowned: QuicStreamOwner = {
  onReset: (stream) => stream.release(),
  onEnd: () => {},
  onBytesIn: () => {},
  onBytesOut: () => {},
};

/**
 * Mutual TLS on a fresh stream, as the dialler. The peer is proven then, but nothing is confirmed yet.
 *
 * `early`: the connection resumes an older one and may still be in 0-RTT. What travels in 0-RTT can be replayed to the acceptor by
 * anybody who recorded it; here that is the ClientHello of the inner TLS and nothing else. A replayer holds no key to finish that
 * handshake, so it gets what any stranger gets.
 */
export async function openLink(
  connection: Deno.QuicConn,
  policy: LinkPolicy,
  expect: NodeId | undefined,
  { early, signal }: OpenLinkOptions,
): Promise<TlsStream> {
  try {
    return await openOnce(connection, policy, expect, signal);
  } catch (error) {
    // The acceptor may decline 0-RTT (it restarted, it has a new certificate): the early stream is lost, the connection is not.
    if (!early || signal.aborted || !(error instanceof StreamResetError)) throw error;
    await connection.handshake;
    return await openOnce(connection, policy, expect, signal);
  }
}

export interface OpenLinkOptions {
  readonly early: boolean;
  readonly signal: AbortSignal;
}

async function openOnce(
  connection: Deno.QuicConn,
  policy: LinkPolicy,
  expect: NodeId | undefined,
  signal: AbortSignal,
): Promise<TlsStream> {
  const stream = new QuicStream(await connection.createBidirectionalStream(), unowned);
  return await tlsConnect(stream, {
    credentials: policy.credentials(),
    ...(expect === undefined ? {} : { expect }),
    network: policy.network,
    now: policy.now(),
    signal,
    purpose: "link",
  });
}

/**
 * The dialler's part: mutual TLS, then the confirmation "I verified this connection as <expect>", which waits for the outer
 * handshake.
 */
export async function dialLink(
  connection: Deno.QuicConn,
  policy: LinkPolicy,
  expect: NodeId,
  options: OpenLinkOptions,
): Promise<QuicLink> {
  const { signal } = options;
  const datagrams = new DatagramInbox(connection);
  const control = await openLink(connection, policy, expect, options);
  await connection.handshake;
  await exchangeLinkHello(control, {
    role: "dialler",
    policy,
    peer: control.peer,
    signal,
    transport: "quic",
  });
  datagrams.open();
  return {
    connection,
    role: "dialler",
    peer: control.peer,
    control,
    incoming: new IncomingStreams(connection),
    datagrams,
  };
}

/** The acceptor's part. Until it returns nothing else on the connection is served, and a stream that comes early ends it. */
export async function acceptLink(
  connection: Deno.QuicConn,
  policy: LinkPolicy,
  signal: AbortSignal,
): Promise<QuicLink> {
  const incoming = new IncomingStreams(connection);
  const datagrams = new DatagramInbox(connection);
  const first = await incoming.next();
  if (first === null) throw new StreamResetError("The connection ended before its first stream");
  const welcoming = { begun: false };
  // Unread streams would fill this end's memory on a stranger's behalf. A dialler opens none before it is welcome.
  const intruded = incoming.peek().then((stream) => {
    if (stream !== null && !welcoming.begun) {
      connection.close({
        closeCode: SessionCloseCode.protocolError,
        reason: "a stream before the link handshake was done",
      });
    }
  });
  void intruded;
  const control = await tlsAccept(new QuicStream(first, unowned), {
    credentials: policy.credentials(),
    network: policy.network,
    now: policy.now(),
    signal,
    purpose: "link",
  });
  const watched = watchWrites(control, () => {
    welcoming.begun = true;
    datagrams.open();
  });
  await exchangeLinkHello(watched, {
    role: "acceptor",
    policy,
    peer: control.peer,
    signal,
    transport: "quic",
  });
  await connection.handshake;
  return { connection, role: "acceptor", peer: control.peer, control, incoming, datagrams };
}

/** The acceptor's only write in the hello is its answer: from then on the dialler may open streams. */
function watchWrites(stream: ByteStream, onWrite: () => void): ByteStream {
  return {
    read: () => stream.read(),
    write: (chunk) => {
      onWrite();
      return stream.write(chunk);
    },
    closeWrite: () => stream.closeWrite(),
    reset: (code) => stream.reset(code),
    closed: stream.closed,
    [Symbol.asyncDispose]: () => Promise.resolve(stream[Symbol.asyncDispose]()),
  };
}
