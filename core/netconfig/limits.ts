/** Bounds of a network config: what breaks one of them is refused as a whole, when it is written and when it arrives. */
export const configLimits = {
  /** A document; a thousand nodes with names and tags take about 100 KiB. */
  documentBytes: 4 * 1024 * 1024,
  nodes: 10_000,
  tagsPerNode: 32,
  tagLength: 63,
  dnsRecords: 10_000,
  dnsValueLength: 1_024,
  rules: 10_000,
  assertions: 10_000,
  portRanges: 64,
  patternLength: 128,
  commentLength: 200,
  revoked: 10_000,
  reasonLength: 200,
  tokens: 10_000,
  sealedKeyLength: 256,
  routes: 10_000,
  templates: 1_000,
  templateKeys: 64,
  templateKeyLength: 64,
  templateValueLength: 4_096,
  noteLength: 200,
} as const;

/** A grant without its signature. */
export const maxGrantBytes = 1_024;
/** A grant with its signature. */
export const maxSignedGrantBytes: number = maxGrantBytes + 128;
export const maxAuthorCertificateBytes = 4_096;
/** Everything a signed config carries besides its document. */
const maxEnvelopeBytes = maxSignedGrantBytes + maxAuthorCertificateBytes + 128;
/** A config as it travels and is kept. */
export const maxSignedConfigBytes: number = configLimits.documentBytes + maxEnvelopeBytes;

/** Epochs and versions count by one; 48 bits last for ever. */
export const maxCounter = 2 ** 48 - 1;
