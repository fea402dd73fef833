import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import {
  type NodeCertificate,
  type NodeId,
  trustOf,
  validateCertificate,
} from "../../identity/mod.ts";
import { errorText, PulseError } from "../../errors/mod.ts";
import { LinkRefusedError } from "../errors.ts";
import { type LinkPolicy, SessionCloseCode } from "../types.ts";

/**
 * Who is at the other end of a TLS connection. Both judges must agree: the TLS library, which has seen that the peer holds the
 * certificate's key, and our own rules, which know what a node's certificate looks like.
 * @throws {LinkRefusedError} nobody, or somebody who is not a node of this network
 */
export function checkPeer(
  socket: Duplex,
  policy: LinkPolicy,
  expect?: NodeId,
): NodeCertificate {
  const refuse = (why: string, cause?: unknown) =>
    new LinkRefusedError(
      `the other end is not a node of this network: ${why}`,
      SessionCloseCode.unauthenticated,
      { reason: cause instanceof PulseError ? cause.code : "CERT_NONE" },
      cause,
    );
  if (!(socket instanceof TLSSocket)) throw refuse("the connection is not encrypted");
  if (socket.getProtocol() !== "TLSv1.3") throw refuse("the connection is older than TLS 1.3");
  const der = socket.getPeerCertificate(true)?.raw;
  if (der === undefined) throw refuse("it showed no certificate");
  let peer: NodeCertificate;
  try {
    peer = validateCertificate(der, trustOf(policy.credentials()), {
      now: policy.now(),
      network: policy.network,
      ...(expect === undefined ? {} : { expect }),
    });
  } catch (error) {
    throw refuse(errorText(error), error);
  }
  if (!socket.authorized) throw refuse(errorText(socket.authorizationError));
  return peer;
}

/** What this node shows in TLS, read anew for every handshake. */
export function tlsMaterial(policy: LinkPolicy): { key: string; cert: string; ca: string[] } {
  const credentials = policy.credentials();
  return {
    key: credentials.key.privateKeyPem,
    cert: credentials.certificate.pem,
    ca: trustOf(credentials).anchors.map(({ pem }) => pem),
  };
}
