import type { AclRule } from "../../../core/policy/types.ts";
import { checkIndex } from "./acl_index.ts";
import { ruleText } from "./rule_text.ts";
import type { Change } from "./types.ts";

/** Puts a rule before the one that has the number `at`; behind the last when no number is named. @throws {ScribeError} ACL_INDEX_INVALID */
export const addAclRule: Change<{ readonly rule: AclRule; readonly at?: number }> = (
  body,
  { rule, at = body.acls.length },
) => {
  checkIndex(at, body.acls.length + 1, "place for a rule");
  return {
    body: { ...body, acls: body.acls.toSpliced(at, 0, rule) },
    note: `rule ${at}: ${ruleText(rule)}`,
  };
};
