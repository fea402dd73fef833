import { findToken } from "./find_token.ts";
import type { Change } from "./types.ts";

/** Withdraws a token by its id or a unique beginning of it. @throws {ScribeError} TOKEN_UNKNOWN, TOKEN_AMBIGUOUS */
export const revokeToken: Change<{ readonly id: string }> = (body, argument) => {
  const { id } = findToken(body, argument.id);
  return {
    body: { ...body, tokens: body.tokens.filter((token) => token.id !== id) },
    note: `token ${id} revoked`,
  };
};
