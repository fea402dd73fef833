import { errorText } from "../errors/mod.ts";
import { IdentityError } from "./errors.ts";
import { parseJoinToken } from "./join_token.ts";
import { defaultNetworkName, parseNetworkName } from "./network_name.ts";

/** What an invite code carries. Whoever holds it can join, so it is a secret. */
export interface Invite {
  readonly network: string;
  /** `host:port` of relays to join through, best first; 1 to 8. */
  readonly relays: readonly string[];
  readonly token: string;
  /** SHA-256 of the CA certificate, lower-case hex; older codes have none. */
  readonly caFingerprint?: string;
}

const prefix = "pls_";
const maxCodeLength = 4096;
const maxRelays = 8;
const maxRelayLength = 300;

/** `pls_` and unpadded base64url of JSON: n network, r relays, t token, f CA fingerprint. */
export function encodeInvite(invite: Invite): string {
  const json = JSON.stringify({
    n: invite.network,
    r: invite.relays,
    t: invite.token,
    f: invite.caFingerprint,
  });
  return prefix +
    new TextEncoder().encode(json).toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * Also reads codes whose `r` is one address in a string.
 * @throws {IdentityError} JOIN_CODE_INVALID, the message begins "invalid join code"
 */
export function decodeInvite(code: string): Invite {
  const text = code.trim();
  if (!text.startsWith(prefix)) throw invalid(`it does not begin with ${prefix}`);
  if (text.length > maxCodeLength) throw invalid("it is too long");
  let content: unknown;
  try {
    const bytes = Uint8Array.fromBase64(text.slice(prefix.length), { alphabet: "base64url" });
    content = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid("it is damaged or was cut off when copied", error);
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw invalid("it does not hold an invite");
  }
  return readInvite(new Map(Object.entries(content)));
}

function readInvite(fields: ReadonlyMap<string, unknown>): Invite {
  const network = fields.get("n") ?? defaultNetworkName;
  const relay = fields.get("r");
  const token = fields.get("t");
  const caFingerprint = fields.get("f");
  if (typeof network !== "string") throw invalid("it names no network");
  if (typeof token !== "string") throw invalid("it has no token");
  try {
    parseNetworkName(network);
    parseJoinToken(token);
  } catch (error) {
    throw invalid(errorText(error), error);
  }
  const relays: unknown[] = Array.isArray(relay) ? relay : [relay];
  if (relays.length === 0 || relays.length > maxRelays || !relays.every(isRelay)) {
    throw invalid(`it has to name 1 to ${maxRelays} relays as host:port`);
  }
  if (caFingerprint === undefined) return { network, relays, token };
  if (typeof caFingerprint !== "string" || !/^[0-9a-f]{64}$/.test(caFingerprint)) {
    throw invalid("its CA fingerprint is not 64 hex characters");
  }
  return { network, relays, token, caFingerprint };
}

function isRelay(value: unknown): value is string {
  if (typeof value !== "string" || value.length > maxRelayLength) return false;
  const match = /^(?:\[[0-9a-fA-F:.%]+\]|[^\s\[\]:/]+):(\d{1,5})$/.exec(value);
  const port = Number(match?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

function invalid(why: string, cause?: unknown): IdentityError {
  return new IdentityError(
    "JOIN_CODE_INVALID",
    `invalid join code: ${why}. Ask for it again with "pulse invite" on the CA`,
    {},
    cause,
  );
}
