import { commonName } from "./certificate_builder.ts";
import { extension, generalName } from "./certificate_extensions.ts";
import { readAlgorithm, readPublicKey } from "./certificate_fields.ts";
import { asciiText, DerError, DerReader } from "./der_reader.ts";
import {
  derBitString,
  derOid,
  derSequence,
  derTag,
  derText,
  derUnsigned,
  derValue,
} from "./der_writer.ts";
import { isStrictPublicKey, spkiFromPublicKey, verifyEd25519 } from "./ed25519.ts";
import { CertificateError } from "./errors.ts";
import { isNetworkName } from "./network_name.ts";
import { nodeIdFromPublicKey } from "./node_id.ts";
import { oids } from "./oids.ts";
import { equalBytes } from "./trust_anchor.ts";
import { type NodeId, type NodeKey, nodeServerName } from "./types.ts";

/** What a verified certificate request says. */
export interface CertificateRequest {
  readonly id: NodeId;
  readonly network: string;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

const maxRequestBytes = 2048;

/** A PKCS#10 request (RFC 2986) in DER: subject CN = node id, requested name = `<id>.<network>.pulse.internal`. */
export function createCsr(key: NodeKey, network: string): Promise<Uint8Array<ArrayBuffer>> {
  const info = requestInfo(key.publicKey, network);
  const signature = derBitString(key.sign(info));
  return Promise.resolve(derSequence(info, derSequence(derOid(oids.ed25519)), signature));
}

/**
 * Proof that whoever wrote the request holds the key in it. Only requests of the form `createCsr` writes are taken.
 * @throws {CertificateError} CERT_REQUEST
 */
export function verifyCsr(der: Uint8Array): CertificateRequest {
  if (der.length > maxRequestBytes) throw refused(`${der.length} bytes is too large`);
  try {
    return verify(der.slice());
  } catch (error) {
    if (error instanceof DerError) throw refused(error.message, error);
    if (error instanceof CertificateError && error.code === "CERT_KEY") {
      throw refused("its key is not an Ed25519 key", error);
    }
    throw error;
  }
}

function verify(der: Uint8Array): CertificateRequest {
  const outer = new DerReader(der);
  const request = outer.enter(derTag.sequence, "the request");
  outer.end("the request");
  const info = request.expect(derTag.sequence, "the signed part");
  if (readAlgorithm(request, "the signature algorithm") !== oids.ed25519) {
    throw refused("it is not signed with Ed25519");
  }
  const signature = request.bits(64, "the signature");
  request.end("the signature");

  const fields = new DerReader(info.content);
  fields.unsigned("the version");
  fields.expect(derTag.sequence, "the subject");
  const publicKey = readPublicKey(fields);
  if (!isStrictPublicKey(publicKey)) throw refused("its key is weak");
  const network = readNetwork(fields);
  // One way to write a request: whatever was not read above has to be what createCsr() would have written.
  if (!equalBytes(info.whole, requestInfo(publicKey, network))) {
    throw refused("it is not of the form pulse writes");
  }
  if (!verifyEd25519(publicKey, info.whole, signature)) {
    throw refused("its signature is not made with the key in it");
  }
  return { id: nodeIdFromPublicKey(publicKey), network, publicKey };
}

function readNetwork(fields: DerReader): string {
  const attribute = fields.enter(0xa0, "the attributes").enter(derTag.sequence, "an attribute");
  attribute.oid("an attribute's name");
  const extensions = attribute.enter(derTag.set, "the requested extensions")
    .enter(derTag.sequence, "the requested extensions");
  const entry = extensions.enter(derTag.sequence, "a requested extension");
  entry.oid("an extension's name");
  const value = new DerReader(entry.expect(derTag.octetString, "the requested name").content);
  const name = value.enter(derTag.sequence, "the requested name")
    .expect(generalName.dns, "the requested name");
  const network = asciiText(name.content, "the requested name").split(".")[1] ?? "";
  if (!isNetworkName(network)) throw refused("it names no network");
  return network;
}

function requestInfo(publicKey: Uint8Array, network: string): Uint8Array<ArrayBuffer> {
  const id = nodeIdFromPublicKey(publicKey);
  const name = extension(
    oids.subjectAltName,
    false,
    derSequence(derText(generalName.dns, nodeServerName(id, network))),
  );
  return derSequence(
    derUnsigned(Uint8Array.of(0)),
    commonName(id),
    spkiFromPublicKey(publicKey),
    derValue(
      0xa0,
      derSequence(derOid(oids.extensionRequest), derValue(derTag.set, derSequence(name))),
    ),
  );
}

function refused(why: string, cause?: unknown): CertificateError {
  return new CertificateError(
    "CERT_REQUEST",
    `the certificate request is not acceptable: ${why}`,
    {},
    cause,
  );
}
