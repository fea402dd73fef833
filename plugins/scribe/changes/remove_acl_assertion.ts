import { checkIndex } from "./acl_index.ts";
import { assertionText } from "./rule_text.ts";
import type { Change } from "./types.ts";

/** Drops an expectation by its number. @throws {ScribeError} ACL_INDEX_INVALID */
export const removeAclAssertion: Change<{ readonly index: number }> = (body, { index }) => {
  checkIndex(index, body.aclAssertions.length, "assertion");
  return {
    body: { ...body, aclAssertions: body.aclAssertions.toSpliced(index, 1) },
    note: `no longer expects ${assertionText(body.aclAssertions[index]!)}`,
  };
};
