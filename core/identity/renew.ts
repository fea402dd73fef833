import { validateCertificate } from "./certificate.ts";
import { createCsr } from "./csr.ts";
import { exchangeWithin } from "./join_channel.ts";
import type { JoinResult } from "./join_client.ts";
import { JoinError } from "./join_errors.ts";
import { frameJoin, type JoinByteStream } from "./join_framing.ts";
import { decodeAnswer, joinTimeoutMs } from "./join_messages.ts";
import type { NodeKey, Trust } from "./types.ts";

/** What a node brings to a renewal. */
export interface RenewOptions {
  readonly key: NodeKey;
  /** The CAs the new certificate may be from. */
  readonly trust: Trust;
  readonly network: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

/** Name of the stream protocol; the current certificate, which the stream proves, is the authorisation. */
export const renewProtocol = "ca.renew";

/**
 * Asks the CA at the other end of an end-to-end authenticated stream for a new certificate for the same key. The caller closes the
 * stream.
 * @throws {JoinError} JOIN_REFUSED with the CA's reason, JOIN_PROTOCOL, JOIN_CLOSED, JOIN_TIMEOUT
 * @throws {CertificateError} what came is not a valid certificate for this node
 */
export async function renewCertificate(
  stream: JoinByteStream,
  options: RenewOptions,
): Promise<JoinResult> {
  const { key, trust, network, now } = options;
  const csr = await createCsr(key, network);
  const message = await exchangeWithin(joinTimeoutMs, options.signal, async () => {
    const channel = frameJoin(stream, "");
    await channel.send(csr);
    return await channel.receive();
  });
  if (message === null) {
    throw new JoinError("JOIN_CLOSED", "the CA ended the renewal without an answer");
  }
  const { certificate: der, reason } = decodeAnswer(message);
  if (reason !== "") {
    throw new JoinError("JOIN_REFUSED", `the CA refused the renewal: ${reason}`, { reason });
  }
  const certificate = validateCertificate(der, trust, { now, network, expect: key.id });
  const anchor = trust.anchors.find(({ fingerprint }) => fingerprint === certificate.issuer)!;
  return { certificatePem: certificate.pem, anchorPem: anchor.pem };
}
