import { errorText } from "../errors/mod.ts";
import { validateCertificate } from "./certificate.ts";
import { createCsr } from "./csr.ts";
import { CertificateError } from "./errors.ts";
import { exchangeWithin, type JoinChannel } from "./join_channel.ts";
import { JoinError } from "./join_errors.ts";
import {
  decodeAnswer,
  decodeChallenge,
  encodeHello,
  encodeRequest,
  joinMessageType,
  joinTimeoutMs,
  joinTypeOf,
  joinVersion,
} from "./join_messages.ts";
import { joinTokenId, joinTokenKey, parseJoinToken } from "./join_token.ts";
import { JoinTranscript } from "./join_transcript.ts";
import { trustAnchorFromDer } from "./trust_anchor.ts";
import type { NodeKey, TrustAnchor } from "./types.ts";

/** What a node brings to a join. */
export interface JoinOptions {
  readonly key: NodeKey;
  readonly network: string;
  readonly token: string;
  /** SHA-256 of the CA certificate as the invite gives it, lower-case hex. */
  readonly caFingerprint?: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

/** What a join gives: PEM, checked and ready for `storeCredentials()`. */
export interface JoinResult {
  readonly certificatePem: string;
  readonly anchorPem: string;
}

/**
 * Joins a network: node and CA prove to each other that they know the token, without sending it, and the CA certifies the node's key.
 * Whoever carries the conversation learns nothing and can change nothing.
 * @throws {JoinError} JOIN_TOKEN_INVALID, JOIN_CA_MISMATCH, JOIN_REFUSED with the CA's reason, JOIN_REFUSED_UNPROVEN, JOIN_TAMPERED,
 *   JOIN_PROTOCOL, JOIN_CLOSED, JOIN_TIMEOUT
 * @throws {IdentityError} JOIN_TOKEN_WEAK
 */
export async function joinNetwork(
  conversation: JoinChannel,
  options: JoinOptions,
): Promise<JoinResult> {
  const client = new JoinClient(
    options,
    await createCsr(options.key, options.network),
    crypto.getRandomValues(new Uint8Array(32)),
  );
  return await exchangeWithin(joinTimeoutMs, options.signal, async () => {
    await conversation.send(client.hello());
    while (true) {
      const message = await conversation.receive();
      if (message === null) throw client.closed();
      const step = client.receive(message);
      if (step.result !== undefined) return step.result;
      await conversation.send(step.send);
    }
  });
}

type ClientStep =
  | { readonly send: Uint8Array; readonly result?: undefined }
  | { readonly result: JoinResult };

/** Sans-I/O: the node's side of a join. */
export class JoinClient {
  readonly #options: JoinOptions;
  readonly #csr: Uint8Array;
  readonly #nonce: Uint8Array;
  readonly #tokenId: string;
  readonly #tokenKey: Uint8Array;
  readonly #transcript = new JoinTranscript();
  #anchor: TrustAnchor | undefined;
  #state: "new" | "challenge" | "answer" | "done" = "new";

  /** @param nonce 32 random bytes, never used before */
  constructor(options: JoinOptions, csr: Uint8Array, nonce: Uint8Array) {
    const token = parseJoinToken(options.token);
    this.#options = options;
    this.#csr = csr;
    this.#nonce = nonce;
    this.#tokenId = joinTokenId(token);
    this.#tokenKey = joinTokenKey(token);
  }

  /** The first message. */
  hello(): Uint8Array {
    if (this.#state !== "new") throw this.#protocol("the join has begun already");
    const hello = encodeHello({
      version: joinVersion,
      network: this.#options.network,
      tokenId: this.#tokenId,
      nonce: this.#nonce,
      publicKey: this.#options.key.publicKey,
    });
    this.#transcript.add(hello);
    this.#state = "challenge";
    return hello;
  }

  /** @throws {JoinError} the join has failed; there is nothing more to say */
  receive(message: Uint8Array): ClientStep {
    const state = this.#state;
    this.#state = "done";
    if (state === "challenge") return this.#onChallenge(message);
    if (state === "answer") return this.#onAnswer(message);
    throw this.#protocol("no message was due");
  }

  /** The conversation ended before its time. */
  closed(): JoinError {
    return new JoinError(
      "JOIN_CLOSED",
      "the connection ended before the CA had answered: the CA may be out of reach, try again or through another relay",
    );
  }

  #onChallenge(message: Uint8Array): ClientStep {
    if (joinTypeOf(message) === joinMessageType.answer) throw this.#refusal(message);
    const challenge = decodeChallenge(message);
    const anchor = this.#readAnchor(challenge.caCertificate);
    const { nonce, caCertificate } = challenge;
    if (
      !this.#transcript.verify(challenge.mac, this.#tokenKey, "ca challenge", nonce, caCertificate)
    ) {
      throw new JoinError(
        "JOIN_TOKEN_INVALID",
        "invalid join token: the other end does not know it, so it is not this network's CA or the token is wrong or withdrawn",
      );
    }
    this.#anchor = anchor;
    this.#transcript.add(message);
    const request = encodeRequest({
      csr: this.#csr,
      mac: this.#transcript.mac(this.#tokenKey, "node request", this.#csr),
    });
    this.#transcript.add(request);
    this.#state = "answer";
    return { send: request };
  }

  #readAnchor(der: Uint8Array): TrustAnchor {
    let anchor: TrustAnchor;
    try {
      anchor = trustAnchorFromDer(der);
    } catch (error) {
      throw new JoinError("JOIN_PROTOCOL", `the CA sent ${errorText(error)}`, {}, error);
    }
    const expected = this.#options.caFingerprint;
    if (expected !== undefined && expected !== anchor.fingerprint) {
      throw new JoinError(
        "JOIN_CA_MISMATCH",
        `the CA that answered (${anchor.fingerprint}) is not the one the invite names (${expected}): somebody may be in between, or the CA was replaced and a new invite is needed`,
        { expected, got: anchor.fingerprint },
      );
    }
    return anchor;
  }

  #onAnswer(message: Uint8Array): ClientStep {
    const answer = decodeAnswer(message);
    if (answer.reason !== "") throw this.#refusal(message);
    if (!this.#answerIsProven(message)) {
      throw new JoinError("JOIN_TAMPERED", "the CA's answer was changed on its way: not used");
    }
    const { key, network, now } = this.#options;
    try {
      const certificate = validateCertificate(answer.certificate, this.#anchor!, {
        now,
        network,
        expect: key.id,
      });
      return { result: { certificatePem: certificate.pem, anchorPem: this.#anchor!.pem } };
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      const clock = error.code === "CERT_NOT_YET_VALID" || error.code === "CERT_EXPIRED"
        ? ". Is this machine's clock right?"
        : "";
      throw new JoinError(
        "JOIN_PROTOCOL",
        `the CA issued a certificate that cannot be used: ${error.message}${clock}`,
        {},
        error,
      );
    }
  }

  #refusal(message: Uint8Array): JoinError {
    const { reason } = decodeAnswer(message);
    if (reason === "") return this.#protocol("a certificate came before it was asked for");
    return this.#answerIsProven(message)
      ? new JoinError("JOIN_REFUSED", `the CA refused: ${reason}`, { reason })
      : new JoinError("JOIN_REFUSED_UNPROVEN", `the join was refused: ${reason}`, { reason });
  }

  #answerIsProven(message: Uint8Array): boolean {
    const { certificate, reason, mac } = decodeAnswer(message);
    const text = new TextEncoder().encode(reason);
    return this.#transcript.verify(mac, this.#tokenKey, "ca answer", certificate, text);
  }

  #protocol(why: string): JoinError {
    return new JoinError("JOIN_PROTOCOL", `the join went out of order: ${why}`);
  }
}
