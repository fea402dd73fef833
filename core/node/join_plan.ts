import { PulseError } from "../errors/mod.ts";
import { decodeInvite } from "../identity/mod.ts";

/** Where and with what to join. */
export interface JoinPlan {
  /** `host:port`, tried in turn. */
  readonly relays: readonly string[];
  readonly network: string;
  readonly token: string;
  /** From the invite; without it the token alone proves the CA. */
  readonly caFingerprint?: string;
}

/** What the operator said about joining. */
export interface JoinWish {
  /** Invite code or a relay's `host:port`; null to join nothing. */
  readonly join: string | null;
  /** Wins over the invite's own. */
  readonly token: string | null;
  readonly network: string;
  /** True when the operator named the network. */
  readonly networkGiven: boolean;
}

/**
 * Reads `--join`, `--token` and `--network` together.
 * @throws {PulseError} JOIN_TOKEN_MISSING, JOIN_NETWORK, and what `decodeInvite` throws
 */
export function joinPlan(wish: JoinWish): JoinPlan | null {
  if (wish.join === null) return null;
  if (!wish.join.startsWith("pls_")) {
    if (wish.token === null) {
      throw new PulseError(
        "JOIN_TOKEN_MISSING",
        `To join through ${wish.join} a token is needed: add --token, or use an invite code`,
      );
    }
    return { relays: [wish.join], network: wish.network, token: wish.token };
  }
  const invite = decodeInvite(wish.join);
  if (wish.networkGiven && invite.network !== wish.network) {
    throw new PulseError(
      "JOIN_NETWORK",
      `The invite is for network ${invite.network}, not ${wish.network}; drop --network or ask for another invite`,
    );
  }
  return { ...invite, token: wish.token ?? invite.token };
}
