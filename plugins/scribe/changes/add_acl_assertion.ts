import type { AclAssertion } from "../../../core/policy/types.ts";
import { assertionText } from "./rule_text.ts";
import type { Change } from "./types.ts";

/** Keeps an expectation beside the policy, in the place of its opposite; one that is kept already is no change. */
export const addAclAssertion: Change<AclAssertion> = (body, assertion) => {
  const same = body.aclAssertions.findIndex((other) => isAboutSame(other, assertion));
  if (body.aclAssertions[same]?.expect === assertion.expect) {
    return { body, note: "assertion unchanged" };
  }
  const aclAssertions = same === -1
    ? [...body.aclAssertions, assertion]
    : body.aclAssertions.with(same, assertion);
  return { body: { ...body, aclAssertions }, note: `expects ${assertionText(assertion)}` };
};

function isAboutSame(a: AclAssertion, b: AclAssertion): boolean {
  return a.from === b.from && a.to === b.to && a.port === b.port && a.protocol === b.protocol;
}
