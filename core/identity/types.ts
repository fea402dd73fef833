/** First 16 bytes of SHA-256 over the raw Ed25519 public key, as 32 lower-case hex characters. */
export type NodeId = string;

/** The node's long-term key. The private half stays in the process that loaded it. */
export interface NodeKey {
  readonly id: NodeId;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** PKCS#8 PEM, as TLS stacks want it. Never logged, never sent. */
  readonly privateKeyPem: string;
  /** Ed25519 signature, 64 bytes. Synchronous: gossip signs inside a sans-I/O engine. */
  sign(message: Uint8Array): Uint8Array;
}

/** A role granted in signed data (a certificate SAN URI `pulse:role:<name>`), never self-asserted. */
export type Role = "ca" | "scribe" | "exit" | "relay-only";

/** What a validated node certificate says. Only `validateCertificate()` makes one. */
export interface NodeCertificate {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly id: NodeId;
  readonly network: string;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Lower-case hex. */
  readonly serial: string;
  /** SHA-256 over the DER, lower-case hex. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Mesh addresses bound into the certificate: IPv4 first, then IPv6. */
  readonly meshAddresses: readonly string[];
  readonly roles: readonly Role[];
  /** Fingerprint of the CA certificate it was found to be signed by. */
  readonly issuer: string;
}

/** A CA's own certificate. */
export interface TrustAnchor {
  readonly der: Uint8Array;
  readonly pem: string;
  /** SHA-256 over the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly publicKey: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Whose certificates a node believes, and nobody else's: one CA, two while the CA is being rolled. */
export interface Trust {
  readonly anchors: readonly TrustAnchor[];
  /** CAs whose certificates counted once: for a refusal that says so. */
  readonly retired: readonly TrustAnchor[];
}

/** Everything a joined node proves itself with. Replaced as a whole on renewal. */
export interface Credentials {
  readonly key: NodeKey;
  readonly certificate: NodeCertificate;
  /** The CA that issued the certificate. */
  readonly anchor: TrustAnchor;
  /** Whose certificates count. @default those of `anchor` */
  readonly trust?: Trust;
}

/** Whose certificates count for a node with these credentials. */
export function trustOf({ anchor, trust }: Credentials): Trust {
  return trust ?? { anchors: [anchor], retired: [] };
}

/** `<id>.<network>.pulse.internal`: a name no public CA can sign, so Deno's built-in roots cannot matter. */
export function nodeServerName(id: NodeId, network: string): string {
  return `${id}.${networkServerName(network)}`;
}

/** `<network>.pulse.internal`: for a first dial to an address whose owner is not known yet. */
export function networkServerName(network: string): string {
  return `${network}.pulse.internal`;
}
