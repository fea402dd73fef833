import { createHmac, timingSafeEqual } from "node:crypto";
import { lengthPrefixed } from "./join_messages.ts";

/** Who speaks, so that a MAC of one role is never one of another. */
export type JoinRole = "ca challenge" | "node request" | "ca answer";

const encoder = new TextEncoder();

/**
 * Everything said in a join so far, as raw bytes in order. Each MAC covers its role, all earlier messages and the parts of its own
 * message: nonces, network, node key, CA certificate and CSR are all in there.
 */
export class JoinTranscript {
  readonly #messages: Uint8Array[] = [];

  add(message: Uint8Array): void {
    this.#messages.push(message.slice());
  }

  /** HMAC-SHA-256 over label, all messages so far and `parts`, each with its length. */
  mac(key: Uint8Array, role: JoinRole, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    const count = new Uint8Array([this.#messages.length]);
    const input = lengthPrefixed([
      encoder.encode(`pulse join v1 ${role}`),
      count,
      ...this.#messages,
      ...parts,
    ]);
    return new Uint8Array(createHmac("sha256", key).update(input).digest());
  }

  /** Compares in constant time. */
  verify(
    mac: Uint8Array,
    key: Uint8Array,
    role: JoinRole,
    ...parts: readonly Uint8Array[]
  ): boolean {
    const expected = this.mac(key, role, ...parts);
    return mac.length === expected.length && timingSafeEqual(mac, expected);
  }
}
