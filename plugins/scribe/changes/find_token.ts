import type { ConfigBody, TokenEntry } from "../../../core/netconfig/types.ts";
import { ScribeError } from "../errors.ts";

/** The token with this id, or with a unique beginning of it. @throws {ScribeError} TOKEN_UNKNOWN, TOKEN_AMBIGUOUS */
export function findToken(body: ConfigBody, prefix: string): TokenEntry {
  const found = prefix === "" ? [] : body.tokens.filter(({ id }) => id.startsWith(prefix));
  const [token, other] = found;
  if (token === undefined) {
    throw new ScribeError(
      "TOKEN_UNKNOWN",
      `no token of the network has an id that begins with "${prefix.slice(0, 40)}"`,
    );
  }
  if (other !== undefined) {
    throw new ScribeError(
      "TOKEN_AMBIGUOUS",
      `more than one token has an id that begins with "${prefix.slice(0, 40)}": give more of it`,
    );
  }
  return token;
}
