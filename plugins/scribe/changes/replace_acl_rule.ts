import type { AclRule } from "../../../core/policy/types.ts";
import { checkIndex } from "./acl_index.ts";
import { ruleText } from "./rule_text.ts";
import type { Change } from "./types.ts";

/** Puts a rule in the place of another. @throws {ScribeError} ACL_INDEX_INVALID */
export const replaceAclRule: Change<{ readonly index: number; readonly rule: AclRule }> = (
  body,
  { index, rule },
) => {
  checkIndex(index, body.acls.length, "rule");
  return {
    body: { ...body, acls: body.acls.with(index, rule) },
    note: `rule ${index}: ${ruleText(rule)}`,
  };
};
