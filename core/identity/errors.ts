import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** Something about this node's own key, files or addresses is wrong; `code` starts with `IDENTITY_` or `MESH_`. */
export class IdentityError extends PulseError {
  override readonly name = "IdentityError";
  constructor(code: string, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}

export type CertificateErrorCode =
  | "CERT_MALFORMED"
  | "CERT_ISSUER"
  | "CERT_SIGNATURE"
  /** Of a CA that counted once. */
  | "CERT_RETIRED"
  | "CERT_EXPIRED"
  | "CERT_NOT_YET_VALID"
  | "CERT_CA_FLAG"
  | "CERT_KEY_USAGE"
  | "CERT_EKU"
  | "CERT_EXTENSION"
  | "CERT_NO_SAN"
  | "CERT_NAME"
  | "CERT_NETWORK"
  | "CERT_KEY"
  | "CERT_ANCHOR"
  | "CERT_REQUEST";

/** A certificate, trust anchor or certificate request that must not be believed, and why. */
export class CertificateError extends PulseError {
  override readonly name = "CertificateError";
  declare readonly code: CertificateErrorCode;
  constructor(
    code: CertificateErrorCode,
    message: string,
    fields: ErrorFields = {},
    cause?: unknown,
  ) {
    super(code, message, fields, cause);
  }
}
