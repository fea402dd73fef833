/** Who a node is and how it proves it: keys, certificates, addresses, joining. @module */
export { type AtomicFileOptions, syncDirectory, writeFileAtomic } from "./atomic_file.ts";
export { validateCertificate, type ValidationOptions } from "./certificate.ts";
export {
  identityFiles,
  loadCredentials,
  type LoadCredentialsOptions,
  storeCredentials,
} from "./credentials.ts";
export { type CertificateRequest, createCsr, verifyCsr } from "./csr.ts";
export { importPublicKey, isStrictPublicKey, verifyEd25519, verifyWithKey } from "./ed25519.ts";
export { CertificateError, type CertificateErrorCode, IdentityError } from "./errors.ts";
export { decodeInvite, encodeInvite, type Invite } from "./invite.ts";
export {
  exchangeWithin,
  type JoinChannel,
  type JoinConversation,
  relayJoin,
} from "./join_channel.ts";
export { joinNetwork, type JoinOptions, type JoinResult } from "./join_client.ts";
export { JoinError, type JoinErrorCode } from "./join_errors.ts";
export { frameJoin, type JoinByteStream } from "./join_framing.ts";
export { joinTimeoutMs, maxJoinMessageBytes, maxJoinMessages } from "./join_messages.ts";
export {
  generateJoinToken,
  joinTokenId,
  joinTokenKey,
  minJoinTokenLength,
  parseJoinToken,
} from "./join_token.ts";
export { renewCertificate, type RenewOptions, renewProtocol } from "./renew.ts";
export { ipToBytes, ipToText, parseIpv4, parseIpv6 } from "./ip_text.ts";
export {
  canonicalMeshCidr,
  defaultMeshCidr,
  deriveMeshIpv4,
  isMeshHost,
  meshIpv6,
  type MeshRange,
  nextFreeIpv4,
  parseMeshCidr,
} from "./mesh_address.ts";
export { defaultNetworkName, isNetworkName, parseNetworkName } from "./network_name.ts";
export { isNodeId, nodeIdFromPublicKey, parseNodeId } from "./node_id.ts";
export { generateNodeKey, loadNodeKey, loadOrCreateNodeKey, nodeKeyFromPem } from "./node_key.ts";
export { derToPem, pemBlocks, pemToDer } from "./pem.ts";
export { parseTrustAnchor, trustAnchorFromDer } from "./trust_anchor.ts";
export * from "./types.ts";
