import { checkIndex } from "./acl_index.ts";
import { ruleText } from "./rule_text.ts";
import type { Change } from "./types.ts";

/** Gives a rule another number; those between make room. @throws {ScribeError} ACL_INDEX_INVALID */
export const moveAclRule: Change<{ readonly from: number; readonly to: number }> = (
  body,
  { from, to },
) => {
  checkIndex(from, body.acls.length, "rule");
  checkIndex(to, body.acls.length, "rule");
  if (from === to) return { body, note: "rules unchanged" };
  const rule = body.acls[from]!;
  return {
    body: { ...body, acls: body.acls.toSpliced(from, 1).toSpliced(to, 0, rule) },
    note: `rule ${from} is rule ${to}: ${ruleText(rule)}`,
  };
};
