import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** Why a grant or a config is not taken. Stable; programs may test for them. */
export type NetConfigErrorCode =
  /** The bytes are not what they should be. */
  | "NETCONFIG_MALFORMED"
  /** What it says breaks a rule; `path` names where. */
  | "NETCONFIG_INVALID"
  | "NETCONFIG_NETWORK"
  /** The grant is not of this network's CA. */
  | "NETCONFIG_GRANT"
  /** The grant is of a CA that counted once. */
  | "NETCONFIG_RETIRED"
  /** The document's epoch is not its grant's. */
  | "NETCONFIG_EPOCH"
  /** The author is not the scribe of its grant, or not the node its certificate names. */
  | "NETCONFIG_AUTHOR"
  | "NETCONFIG_CERTIFICATE"
  | "NETCONFIG_SIGNATURE"
  /** A newer one is in force. */
  | "NETCONFIG_OLD"
  /** The CA has granted the role anew since, and did not vouch for this config. */
  | "NETCONFIG_SUPERSEDED"
  /** Older than what this node has had before. */
  | "NETCONFIG_ROLLBACK"
  /** Another one with the same epoch and version is in force. */
  | "NETCONFIG_FORKED"
  /** Somebody else has published since. */
  | "NETCONFIG_CONFLICT"
  | "NETCONFIG_NOT_SCRIBE"
  /** This node's disk refuses it. */
  | "NETCONFIG_STORAGE"
  | "NETCONFIG_REQUEST";

/** A network config or a grant that cannot be used. */
export class NetConfigError extends PulseError {
  override readonly name = "NetConfigError";
  override readonly code: NetConfigErrorCode;
  constructor(
    code: NetConfigErrorCode,
    message: string,
    fields: ErrorFields = {},
    cause?: unknown,
  ) {
    super(code, message, fields, cause);
    this.code = code;
  }
}
