import { checkIndex } from "./acl_index.ts";
import { ruleText } from "./rule_text.ts";
import type { Change } from "./types.ts";

/** Removes a rule by its number. @throws {ScribeError} ACL_INDEX_INVALID */
export const removeAclRule: Change<{ readonly index: number }> = (body, { index }) => {
  checkIndex(index, body.acls.length, "rule");
  const rule = body.acls[index]!;
  return {
    body: { ...body, acls: body.acls.toSpliced(index, 1) },
    note: `rule ${index} removed: ${ruleText(rule)}`,
  };
};
