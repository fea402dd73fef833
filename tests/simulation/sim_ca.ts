import {
  buildCaCertificate,
  buildNodeCertificate,
} from "../../core/identity/certificate_builder.ts";
import {
  type Credentials,
  derToPem,
  meshIpv6,
  type NodeKey,
  nodeKeyFromPem,
  type TrustAnchor,
  trustAnchorFromDer,
  validateCertificate,
} from "../../core/identity/mod.ts";
import { commonName } from "../../core/identity/certificate_builder.ts";
import { derive } from "./facts.ts";

/** The wall clock of every simulation: certificates are part of the traffic, and its bytes must not depend on the day. */
export const wallClock = Date.UTC(2026, 0, 1);
const day = 86_400_000;
/** RFC 8410: PKCS#8 of an Ed25519 key up to the 32 bytes of seed. */
const pkcs8Prefix = Uint8Array.fromHex("302e020100300506032b657004220420");

/** A real CA whose every byte follows from the seed: real keys, real certificates, real signatures. */
export class SimCa {
  readonly network: string;
  readonly anchor: TrustAnchor;
  readonly #key: NodeKey;
  readonly #seed: string;

  constructor(seed: string, network = "sim") {
    this.#seed = seed;
    this.network = network;
    this.#key = keyFrom(`${seed}/ca`);
    this.anchor = trustAnchorFromDer(buildCaCertificate({
      name: "pulse-ca",
      serial: serialFrom(`${seed}/ca`),
      publicKey: this.#key.publicKey,
      notBefore: wallClock - 365 * day,
      notAfter: wallClock + 3_650 * day,
    }, (message) => this.#key.sign(message)));
  }

  issue(name: string): Credentials {
    const label = `${this.#seed}/node/${name}`;
    const key = keyFrom(label);
    const der = buildNodeCertificate({
      serial: serialFrom(label),
      issuer: commonName("pulse-ca"),
      issuerKey: this.#key.publicKey,
      id: key.id,
      network: this.network,
      publicKey: key.publicKey,
      notBefore: wallClock - day,
      notAfter: wallClock + 89 * day,
      meshAddresses: [meshIpv6(this.network, key.id)],
      roles: [],
    }, (message) => this.#key.sign(message));
    const certificate = validateCertificate(der, this.anchor, { now: wallClock });
    return { key, anchor: this.anchor, certificate };
  }
}

function keyFrom(label: string): NodeKey {
  const der = new Uint8Array(48);
  der.set(pkcs8Prefix);
  der.set(derive(`${label}/key`), 16);
  return nodeKeyFromPem(derToPem(der, "PRIVATE KEY"));
}

function serialFrom(label: string): Uint8Array<ArrayBuffer> {
  const serial = derive(`${label}/serial`).slice(0, 16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  return serial;
}
