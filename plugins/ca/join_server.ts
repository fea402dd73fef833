import {
  decodeHello,
  decodeRequest,
  encodeAnswer,
  encodeChallenge,
  type JoinHello,
  joinVersion,
} from "../../core/identity/join_messages.ts";
import { JoinTranscript } from "../../core/identity/join_transcript.ts";
import type { TrustAnchor } from "../../core/identity/mod.ts";
import { CaError, JoinRefusal } from "./errors.ts";
import type { JoinGrant } from "./issuing.ts";

/** What the server needs of the CA. Synchronous: no other join comes between decision and consequence. */
export interface JoinAuthority {
  readonly network: string;
  /** The CA that a node with this token expects. */
  anchorFor(tokenId: string): TrustAnchor;
  /** Key of a token, undefined for an unknown one. */
  macKey(tokenId: string): Uint8Array | undefined;
  /** The certificate in DER. @throws {JoinRefusal} */
  join(grant: JoinGrant): Uint8Array;
  /** A refusal that `join` did not see, for the audit log. */
  refused(reason: string, tokenId: string | undefined, via: string): void;
  /** The CA's own trouble, for the log; the node is told only that there is some. */
  failed(error: unknown): void;
}

export interface ServerStep {
  readonly send: Uint8Array;
  /** The conversation is over once this is sent. */
  readonly done: boolean;
}

/**
 * Sans-I/O: the CA's side of one join. Nothing is said before the node has spoken, nothing about a token before the node has proven to
 * know it: a token nobody knows is answered with a challenge of the same form, under a random key.
 */
export class JoinServer {
  readonly #ca: JoinAuthority;
  readonly #nonce: Uint8Array;
  readonly #via: string;
  readonly #transcript = new JoinTranscript();
  #key: Uint8Array;
  #known = false;
  #hello: JoinHello | undefined;
  /** The one the node was shown. */
  #anchor: TrustAnchor | undefined;
  #done = false;

  /** @param random 64 random bytes, never used before */
  constructor(ca: JoinAuthority, random: Uint8Array, via: string) {
    this.#ca = ca;
    this.#nonce = random.slice(0, 32);
    this.#key = random.slice(32, 64);
    this.#via = via;
  }

  /** True between the first and the last message. */
  get open(): boolean {
    return this.#hello !== undefined && !this.#done;
  }

  /** Id of the token the node named, for the audit log. */
  get tokenId(): string | undefined {
    return this.#hello?.tokenId;
  }

  /**
   * The answer to a message.
   * @throws {JoinError} JOIN_PROTOCOL: the conversation is over, there is no answer
   */
  receive(message: Uint8Array): ServerStep {
    if (this.#done) throw new CaError("CA_JOIN_OVER", "the join is over");
    try {
      return this.#hello === undefined ? this.#onHello(message) : this.#onRequest(message);
    } catch (error) {
      this.#done = true;
      throw error;
    }
  }

  #onHello(message: Uint8Array): ServerStep {
    const hello = decodeHello(message);
    this.#hello = hello;
    this.#transcript.add(message);
    const key = this.#ca.macKey(hello.tokenId);
    if (key !== undefined) {
      this.#key = key;
      this.#known = true;
    }
    if (hello.version !== joinVersion) {
      return this.#refuse(`join version ${hello.version} is not known here: update the CA`);
    }
    if (hello.network !== this.#ca.network) {
      return this.#refuse(`network mismatch: CA serves ${this.#ca.network}`);
    }
    const nonce = this.#nonce;
    this.#anchor = this.#ca.anchorFor(hello.tokenId);
    const caCertificate = this.#anchor.der;
    const mac = this.#transcript.mac(this.#key, "ca challenge", nonce, caCertificate);
    const challenge = encodeChallenge({ nonce, caCertificate, mac });
    this.#transcript.add(challenge);
    return { send: challenge, done: false };
  }

  #onRequest(message: Uint8Array): ServerStep {
    const request = decodeRequest(message);
    const hello = this.#hello!;
    const proven = this.#transcript.verify(request.mac, this.#key, "node request", request.csr);
    this.#transcript.add(message);
    if (!proven || !this.#known) return this.#refuse("invalid join token");
    let certificate: Uint8Array;
    try {
      certificate = this.#ca.join({
        tokenId: hello.tokenId,
        publicKey: hello.publicKey,
        csr: request.csr,
        via: this.#via,
        ca: this.#anchor!.fingerprint,
      });
    } catch (error) {
      if (error instanceof JoinRefusal) return this.#answer(new Uint8Array(0), error.message);
      this.#ca.failed(error);
      return this.#refuse("the CA cannot issue certificates at the moment, try again later");
    }
    return this.#answer(certificate, "");
  }

  #refuse(reason: string): ServerStep {
    this.#ca.refused(reason, this.tokenId, this.#via);
    return this.#answer(new Uint8Array(0), reason);
  }

  #answer(certificate: Uint8Array, words: string): ServerStep {
    this.#done = true;
    // Within the bounds of an answer, whatever the reason quotes.
    const reason = words.slice(0, 400).replace(/[^\x20-\x7e]/g, "?");
    const text = new TextEncoder().encode(reason);
    const mac = this.#transcript.mac(this.#key, "ca answer", certificate, text);
    return { send: encodeAnswer({ certificate, reason, mac }), done: true };
  }
}
