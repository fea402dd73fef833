import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { type Content, decodeContent } from "../../core/gossip/content.ts";
import { detachHead, readUint48, sameHead, type SignedHead } from "../../core/gossip/record.ts";
import type { SelfReport } from "../../core/gossip/types.ts";
import {
  type NodeCertificate,
  type NodeId,
  type TrustAnchor,
  validateCertificate,
  verifyEd25519,
} from "../../core/identity/mod.ts";

/**
 * Pure functions every node computes, computed once for all of them: a thousand nodes that check the same signature get the
 * same answer. Keys are the whole input, so a forgery never meets the answer for the genuine bytes. Also remembers what was
 * really signed, which is what the nodes are measured against.
 */
export class SharedFacts {
  readonly #anchor: TrustAnchor;
  readonly #network: string;
  readonly #wall: number;
  readonly #certificates = new Map<string, NodeCertificate | Error>();
  /** By public key: certificates are shared, so each key is one object. */
  readonly #signatures = new WeakMap<Uint8Array, Answer[]>();
  readonly #contents = new Map<NodeId, Content[]>();
  /** What a report was read from. */
  readonly #sources = new WeakMap<SelfReport, Content>();
  readonly #heads = new Map<NodeId, Map<number, SignedHead>>();
  readonly #signed = new Map<NodeId, Map<number, string>>();
  #verified = 0;

  constructor(anchor: TrustAnchor, network: string, wall: number) {
    this.#anchor = anchor;
    this.#network = network;
    this.#wall = wall;
  }

  /** Signatures really checked. */
  get verified(): number {
    return this.#verified;
  }

  readonly verifyCertificate = (der: Uint8Array): NodeCertificate => {
    const key = text(der);
    let answer = this.#certificates.get(key);
    if (answer === undefined) {
      try {
        answer = validateCertificate(der, this.#anchor, {
          now: this.#wall,
          network: this.#network,
        });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        answer = error;
      }
      this.#certificates.set(key, answer);
    }
    if (answer instanceof Error) throw answer;
    return answer;
  };

  readonly verifySignature = (
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean => {
    let answers = this.#signatures.get(publicKey);
    if (answers === undefined) this.#signatures.set(publicKey, answers = []);
    const known = answers.findLast((answer) =>
      equal(answer.signature, signature) && equal(answer.message, message)
    );
    if (known !== undefined) return known.valid;
    const valid = verifyEd25519(publicKey, message, signature);
    this.#verified++;
    remember(answers, { message: message.slice(), signature: signature.slice(), valid });
    return valid;
  };

  readonly readContent = (bytes: Uint8Array, author: NodeId): Content => {
    let contents = this.#contents.get(author);
    if (contents === undefined) this.#contents.set(author, contents = []);
    const known = contents.findLast((content) => equal(content.bytes, bytes));
    if (known !== undefined) return known;
    const content = decodeContent(bytes, author);
    this.#sources.set(content.report, content);
    remember(contents, content);
    return content;
  };

  /** One copy of each head for all nodes. */
  readonly keepHead = (head: SignedHead): SignedHead => {
    let heads = this.#heads.get(head.id);
    if (heads === undefined) this.#heads.set(head.id, heads = new Map());
    const kept = heads.get(head.sequence);
    if (kept !== undefined) return sameHead(kept, head) ? kept : detachHead(head);
    const copy = detachHead(head);
    heads.set(head.sequence, copy);
    return copy;
  };

  /** Wraps a node's signing so that what it says is known to be said. */
  witness(id: NodeId, sign: (message: Uint8Array) => Uint8Array) {
    const said = new Map<number, string>();
    this.#signed.set(id, said);
    return (message: Uint8Array): Uint8Array => {
      // id 16, sequence 6, content hash 32 at the end of what is signed.
      const end = message.length;
      said.set(readUint48(message, end - 38), message.subarray(end - 32).toHex());
      return sign(message);
    };
  }

  /** Whether this node really published this report under this sequence. */
  isGenuine(id: NodeId, sequence: number, report: SelfReport): boolean {
    const said = this.#signed.get(id)?.get(sequence);
    return said !== undefined && said === this.#sources.get(report)?.hash.toHex();
  }

  /** Bytes of a report's content on the wire; 0 for one that was never sent. */
  contentLength(report: SelfReport): number {
    return this.#sources.get(report)?.bytes.length ?? 0;
  }

  /** Heads seen of one author, oldest first. */
  headsOf(id: NodeId): SignedHead[] {
    return [...this.#heads.get(id)?.values() ?? []];
  }
}

interface Answer {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

/** Answers kept per author: what is asked is nearly always about its latest words. */
const keptAnswers = 64;

function remember<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > keptAnswers) list.shift();
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}

/** A key for a Map: exact. */
function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** 32 bytes that follow from a text. */
export function derive(label: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(hash("sha256", label, "hex"));
}
