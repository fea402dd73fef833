import { hash } from "node:crypto";
import { commonName } from "./certificate_builder.ts";
import { keyUsageBit } from "./certificate_extensions.ts";
import { type CertificateFields, parseCertificateFields } from "./certificate_fields.ts";
import { isStrictPublicKey, verifyWithKey } from "./ed25519.ts";
import { CertificateError } from "./errors.ts";
import { ipToText } from "./ip_text.ts";
import { isNetworkName } from "./network_name.ts";
import { isNodeId, nodeIdFromPublicKey } from "./node_id.ts";
import { oids } from "./oids.ts";
import { derToPem } from "./pem.ts";
import { anchorDetails, equalBytes } from "./trust_anchor.ts";
import { networkServerName, type NodeCertificate, type NodeId, nodeServerName } from "./types.ts";
import type { Role, Trust, TrustAnchor } from "./types.ts";

export interface ValidationOptions {
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** Refuse certificates of another network. */
  readonly network?: string;
  /** Refuse everybody but this node. */
  readonly expect?: NodeId;
  /** Purpose that must be allowed. @default both */
  readonly usage?: "client" | "server";
  /** Let dates be: to show an expired certificate, never to admit a peer. */
  readonly ignoreDates?: boolean;
}

const roleNames: ReadonlySet<string> = new Set<Role>(["ca", "scribe", "exit", "relay-only"]);
const rolePrefix = "pulse:role:";
const maxMeshAddresses = 8;

/**
 * The only way to a `NodeCertificate`. Checks the certificate against the CA (either one, while the CA is being rolled) and pulse's own
 * profile; there are no chains, no intermediates and no defaults. The input is copied.
 * @throws {CertificateError} with one of the `CERT_` codes
 */
export function validateCertificate(
  der: Uint8Array,
  trust: TrustAnchor | Trust,
  options: ValidationOptions,
): NodeCertificate {
  const fields = parseCertificateFields(der);
  const anchor = signerOf(fields, "anchors" in trust ? trust : { anchors: [trust], retired: [] });
  if (options.ignoreDates !== true) checkDates(fields, anchor, options.now);
  checkPurpose(fields, options.usage);
  const id = checkKey(fields);
  const { network, roles, meshAddresses } = checkNames(fields, id);
  if (options.network !== undefined && options.network !== network) {
    throw new CertificateError(
      "CERT_NETWORK",
      `the certificate of ${id} is for network "${network}", this is network "${options.network}"`,
      { id, network },
    );
  }
  if (options.expect !== undefined && options.expect !== id) {
    throw new CertificateError(
      "CERT_NAME",
      `the certificate is of node ${id}, node ${options.expect} was expected`,
      { id, expected: options.expect },
    );
  }
  return {
    der: fields.der,
    pem: derToPem(fields.der),
    id,
    network,
    publicKey: fields.publicKey,
    serial: fields.serial,
    fingerprint: hash("sha256", fields.der, "hex"),
    notBefore: fields.notBefore,
    notAfter: fields.notAfter,
    meshAddresses,
    roles,
    issuer: anchor.fingerprint,
  };
}

function signerOf(fields: CertificateFields, { anchors, retired }: Trust): TrustAnchor {
  const names = (anchor: TrustAnchor) => equalBytes(fields.issuer, anchorDetails(anchor).subject);
  const signs = (anchor: TrustAnchor) =>
    names(anchor) && verifyWithKey(anchorDetails(anchor).key, fields.tbs, fields.signature);
  const signer = anchors.find(signs);
  if (signer !== undefined) return signer;
  if (retired.some(signs)) {
    throw new CertificateError(
      "CERT_RETIRED",
      "the certificate was issued by a CA that this network has retired: the node has to join again, with a new invite",
    );
  }
  if (!anchors.some(names)) {
    throw new CertificateError(
      "CERT_ISSUER",
      "the certificate was not issued by this network's CA",
    );
  }
  throw new CertificateError(
    "CERT_SIGNATURE",
    "the certificate's signature is not of this network's CA",
  );
}

function checkDates(fields: CertificateFields, anchor: TrustAnchor, now: number): void {
  const at = (time: number) => new Date(time).toISOString();
  if (now < fields.notBefore || now < anchor.notBefore) {
    const from = Math.max(fields.notBefore, anchor.notBefore);
    throw new CertificateError(
      "CERT_NOT_YET_VALID",
      `the certificate is valid from ${at(from)}, the clock here says ${at(now)}`,
      { notBefore: at(from) },
    );
  }
  if (now > fields.notAfter) {
    throw new CertificateError(
      "CERT_EXPIRED",
      `the certificate expired at ${at(fields.notAfter)}: the node has to join again`,
      { notAfter: at(fields.notAfter) },
    );
  }
  if (now > anchor.notAfter) {
    throw new CertificateError(
      "CERT_EXPIRED",
      `the CA certificate expired at ${at(anchor.notAfter)}: the network needs a new CA`,
      { notAfter: at(anchor.notAfter) },
    );
  }
}

function checkPurpose(fields: CertificateFields, usage: "client" | "server" | undefined): void {
  if (fields.ca !== false) {
    throw new CertificateError(
      "CERT_CA_FLAG",
      fields.ca === null
        ? "the certificate does not say that it is not a CA"
        : "a CA certificate is not a node's certificate",
    );
  }
  if (fields.keyUsage !== keyUsageBit.digitalSignature) {
    throw new CertificateError(
      "CERT_KEY_USAGE",
      "the certificate's key usage is not digitalSignature alone",
    );
  }
  const wanted = usage === undefined
    ? [oids.clientAuth, oids.serverAuth]
    : [usage === "client" ? oids.clientAuth : oids.serverAuth];
  if (!wanted.every((oid) => fields.extendedKeyUsage?.includes(oid) === true)) {
    throw new CertificateError(
      "CERT_EKU",
      `the certificate's extended key usage does not allow ${usage ?? "client and server"} use`,
    );
  }
  if (fields.unknownCritical.length > 0) {
    throw new CertificateError(
      "CERT_EXTENSION",
      "the certificate has a critical extension this version does not know",
      { oids: fields.unknownCritical },
    );
  }
}

function checkKey(fields: CertificateFields): NodeId {
  if (!isStrictPublicKey(fields.publicKey)) {
    throw new CertificateError("CERT_KEY", "the certificate is for a weak Ed25519 key");
  }
  return nodeIdFromPublicKey(fields.publicKey);
}

/** The names have to be exactly those the CA writes, in its order: no second way to say the same, nothing extra. */
function checkNames(
  fields: CertificateFields,
  id: NodeId,
): { network: string; roles: Role[]; meshAddresses: string[] } {
  const refuse = (why: string) => new CertificateError("CERT_NAME", `the certificate ${why}`);
  if (fields.names === null) {
    throw new CertificateError("CERT_NO_SAN", "the certificate has no subject alternative names");
  }
  const { dns, ip, uri } = fields.names;
  const [nodeName, networkName] = dns;
  if (dns.length !== 2 || nodeName === undefined || networkName === undefined) {
    throw refuse(`has ${dns.length} DNS names where 2 are needed`);
  }
  const [claimed = "", network = ""] = nodeName.split(".");
  if (
    !isNodeId(claimed) || !isNetworkName(network) || nodeName !== nodeServerName(claimed, network)
  ) {
    throw refuse("is not named <id>.<network>.pulse.internal");
  }
  if (networkName !== networkServerName(network)) throw refuse("names two networks");
  if (claimed !== id) throw refuse(`names node ${claimed}, but its key is that of ${id}`);
  if (!equalBytes(fields.subject, commonName(id))) throw refuse("has a subject that is not its id");
  const meshAddresses = ip.map(ipToText);
  const firstV6 = ip.findIndex((address) => address.length === 16);
  if (
    ip.length > maxMeshAddresses || new Set(meshAddresses).size !== ip.length ||
    (firstV6 >= 0 && ip.slice(firstV6).some((address) => address.length === 4))
  ) {
    throw refuse("has a list of mesh addresses the CA would not write");
  }
  const roles = uri.map((text) => {
    const role = text.startsWith(rolePrefix) ? text.slice(rolePrefix.length) : "";
    if (!roleNames.has(role)) throw refuse(`has the name "${text}", which is no role`);
    return role as Role;
  });
  if (new Set(roles).size !== roles.length) throw refuse("names a role twice");
  return { network, roles, meshAddresses };
}
