/** Contents of the OBJECT IDENTIFIERs pulse knows, as hex. */
export const oids = {
  /** 1.3.101.112 (RFC 8410) */
  ed25519: "2b6570",
  /** 2.5.4.3 */
  commonName: "550403",
  /** 2.5.29.14 */
  subjectKeyIdentifier: "551d0e",
  /** 2.5.29.15 */
  keyUsage: "551d0f",
  /** 2.5.29.17 */
  subjectAltName: "551d11",
  /** 2.5.29.19 */
  basicConstraints: "551d13",
  /** 2.5.29.35 */
  authorityKeyIdentifier: "551d23",
  /** 2.5.29.37 */
  extendedKeyUsage: "551d25",
  /** 1.3.6.1.5.5.7.3.1 */
  serverAuth: "2b06010505070301",
  /** 1.3.6.1.5.5.7.3.2 */
  clientAuth: "2b06010505070302",
  /** 1.2.840.113549.1.9.14 (RFC 2985) */
  extensionRequest: "2a864886f70d01090e",
} as const;
