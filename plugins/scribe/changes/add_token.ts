import type { TokenEntry } from "../../../core/netconfig/types.ts";
import { ScribeError } from "../errors.ts";
import { checkName } from "./set_name.ts";
import { checkTag } from "./tag.ts";
import type { Change } from "./types.ts";

/**
 * Makes a join token known; those whose time is up are dropped on the way.
 * @throws {ScribeError} TOKEN_EXISTS, TOKEN_NAME, TAG_INVALID, NAME_INVALID, NAME_TAKEN
 */
export const addToken: Change<TokenEntry> = (body, entry, { now }) => {
  entry.tags.forEach(checkTag);
  const kept = body.tokens.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
  if (kept.some(({ id }) => id === entry.id)) {
    throw new ScribeError("TOKEN_EXISTS", `token ${entry.id} exists already`, { id: entry.id });
  }
  if (entry.name !== null) {
    if (entry.maxUses !== 1) {
      throw new ScribeError(
        "TOKEN_NAME",
        "a token that gives its node a name is for one node: set its uses to 1",
        { maxUses: entry.maxUses },
      );
    }
    checkName(body, entry.name, null);
    const promised = kept.find(({ name }) => name === entry.name);
    if (promised !== undefined) {
      throw new ScribeError("NAME_TAKEN", `token ${promised.id} gives the name ${entry.name}`, {
        name: entry.name,
      });
    }
  }
  return { body: { ...body, tokens: [...kept, entry] }, note: `token ${entry.id} made` };
};
