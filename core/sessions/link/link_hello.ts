import type { NodeCertificate } from "../../identity/types.ts";
import { PulseError } from "../../errors/mod.ts";
import { LinkRefusedError, ProtocolError } from "../errors.ts";
import { type ByteStream, type LinkPolicy, SessionCloseCode } from "../types.ts";
import {
  decodeLinkMessage,
  encodeLinkMessage,
  type LinkHello,
  type LinkMessage,
  linkProtocolVersion,
  linkReason,
  type LinkWelcome,
  maxLinkMessageBytes,
} from "./link_message.ts";

export interface LinkHelloOptions {
  readonly role: "dialler" | "acceptor";
  readonly policy: LinkPolicy;
  /** The peer's certificate as the mutual TLS under `stream` proved it. */
  readonly peer: NodeCertificate;
  /** Aborting resets the stream; the call then throws the signal's reason. */
  readonly signal: AbortSignal;
  readonly transport: "quic" | "websocket";
}

/**
 * The last step of the link handshake, inside mutual TLS: the dialler confirms whom it verified, the acceptor welcomes or
 * refuses it. Nothing else may be served on the connection before this returned.
 *
 * The confirmation names the transport too, so a handshake meant for one carrier cannot be carried over to another.
 *
 * @returns bytes that followed the peer's last message in the same chunk, nearly always none. The dialler may get some
 * (an acceptor may speak right after its welcome), the acceptor never: early bytes are a `ProtocolError` there.
 * @throws {LinkRefusedError} this end or the peer refused; the other end was told why
 * @throws {ProtocolError} the peer's message is malformed
 */
export async function exchangeLinkHello(
  stream: ByteStream,
  options: LinkHelloOptions,
): Promise<Uint8Array> {
  const { signal } = options;
  if (signal.aborted) {
    stream.reset();
    throw signal.reason;
  }
  const abort = () => stream.reset();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return options.role === "dialler" ? await dial(stream, options) : await accept(stream, options);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function dial(stream: ByteStream, options: LinkHelloOptions): Promise<Uint8Array> {
  const { policy, peer, transport } = options;
  const own = policy.credentials().certificate.id;
  await admit(stream, options);
  const hello: LinkHello = {
    v: linkProtocolVersion,
    network: policy.network,
    id: own,
    verified: peer.id,
    transport,
  };
  await stream.write(encodeLinkMessage(hello));
  const { message, rest } = await readMessage(stream);
  if (!("ok" in message)) throw new ProtocolError(`The peer ${peer.id} answered with a hello`);
  if (!message.ok) throw refusedByPeer(peer, message.code, message.reason);
  const objection = contradiction(message, options);
  if (objection !== undefined) await refuse(stream, objection);
  return rest;
}

async function accept(stream: ByteStream, options: LinkHelloOptions): Promise<Uint8Array> {
  const { policy, peer, transport } = options;
  const own = policy.credentials().certificate.id;
  const { message, rest } = await readMessage(stream);
  if ("ok" in message) {
    if (!message.ok) throw refusedByPeer(peer, message.code, message.reason);
    throw new ProtocolError(`The peer ${peer.id} began with a welcome`);
  }
  if (rest.length > 0) {
    throw new ProtocolError(`The peer ${peer.id} sent ${rest.length} bytes before it was welcome`);
  }
  const objection = contradiction(message, options) ??
    (message.verified !== own || message.transport !== transport
      ? new LinkRefusedError(
        `The link handshake was made for ${message.verified} over ${message.transport}, ` +
          `but it arrived at ${own} over ${transport}: somebody passed it on`,
        SessionCloseCode.unauthenticated,
        { peer: peer.id, verified: message.verified },
      )
      : undefined);
  if (objection !== undefined) await refuse(stream, objection);
  await admit(stream, options);
  const welcome: LinkWelcome = {
    ok: true,
    v: linkProtocolVersion,
    network: policy.network,
    id: own,
  };
  await stream.write(encodeLinkMessage(welcome));
  return rest;
}

/** What is wrong with the peer's own words, if anything. */
function contradiction(
  message: LinkHello | LinkWelcome,
  { policy, peer }: LinkHelloOptions,
): LinkRefusedError | undefined {
  if (message.v !== linkProtocolVersion) {
    return new LinkRefusedError(
      `${peer.id} speaks link protocol ${message.v}, this node speaks ${linkProtocolVersion}: ` +
        `run the same release on both`,
      SessionCloseCode.incompatible,
      { peer: peer.id, theirs: message.v, ours: linkProtocolVersion },
    );
  }
  if (message.network !== policy.network) {
    return new LinkRefusedError(
      `${peer.id} is a node of the network ${linkReason(message.network)}, ` +
        `this is a node of ${policy.network}`,
      SessionCloseCode.wrongNetwork,
      { peer: peer.id, theirs: message.network, ours: policy.network },
    );
  }
  if (message.id !== peer.id) {
    return new LinkRefusedError(
      `${peer.id} says it is ${message.id}, which its certificate does not`,
      SessionCloseCode.unauthenticated,
      { peer: peer.id, claimed: message.id },
    );
  }
  return undefined;
}

/** This node's own reasons against the peer: it is itself, or the policy says no. */
async function admit(stream: ByteStream, { policy, peer }: LinkHelloOptions): Promise<void> {
  if (peer.id === policy.credentials().certificate.id) {
    await refuse(
      stream,
      new LinkRefusedError(
        `The node ${peer.id} dialled itself`,
        SessionCloseCode.self,
        { peer: peer.id },
      ),
    );
  }
  try {
    policy.admit(peer);
  } catch (error) {
    // Only our own errors were written to be read by others.
    const said = error instanceof PulseError ? error.message : "the node's policy failed";
    await refuse(
      stream,
      error instanceof LinkRefusedError ? error : new LinkRefusedError(
        `${peer.id} was not admitted: ${said}`,
        SessionCloseCode.unauthenticated,
        { peer: peer.id },
        error,
      ),
    );
  }
}

/** Tells the peer, then throws. Never returns. */
async function refuse(stream: ByteStream, error: LinkRefusedError): Promise<never> {
  try {
    await stream.write(
      encodeLinkMessage({ ok: false, code: error.closeCode, reason: linkReason(error.message) }),
    );
    await stream.closeWrite();
  } catch (ignored) {
    // The peer is gone already; why we refused it is still what the caller wants to know.
    void ignored;
  }
  throw error;
}

function refusedByPeer(peer: NodeCertificate, code: number, reason: string): LinkRefusedError {
  return new LinkRefusedError(`${peer.id} refused the link: ${reason}`, code, {
    peer: peer.id,
    reason,
    remote: true,
  });
}

/** Reads `u16 length, body` off the stream, whatever pieces it comes in. */
async function readMessage(
  stream: ByteStream,
): Promise<{ message: LinkMessage; rest: Uint8Array }> {
  const head = new Uint8Array(2);
  let body: Uint8Array | undefined;
  let filled = 0;
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) throw new ProtocolError("The peer ended the link handshake half-way");
    let at = 0;
    while (at < chunk.length) {
      if (body !== undefined && filled === body.length) break;
      const into = body ?? head;
      const taken = Math.min(into.length - filled, chunk.length - at);
      into.set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (body === undefined && filled === 2) {
        body = new Uint8Array(messageLength(head));
        filled = 0;
      }
    }
    if (body !== undefined && filled === body.length) {
      return { message: decodeLinkMessage(body), rest: new Uint8Array(chunk.subarray(at)) };
    }
  }
}

function messageLength(head: Uint8Array): number {
  const length = (head[0] as number) << 8 | (head[1] as number);
  if (length === 0 || length > maxLinkMessageBytes) {
    throw new ProtocolError(
      `A link message of ${length} bytes is not between 1 and ${maxLinkMessageBytes}`,
    );
  }
  return length;
}
