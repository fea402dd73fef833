import { z } from "zod";
import { maxComment, maxPattern, maxPortRanges } from "./limits.ts";
import { patternFault } from "./pattern.ts";
import { flowProtocols } from "./protocols.ts";
import type { AclAssertion, AclRule } from "./types.ts";

const portNumber = z.number().int().min(1).max(65_535);
const portRange = z.strictObject({ from: portNumber, to: portNumber })
  .refine(({ from, to }) => from <= to, "a range ends below its beginning");

/** Printable ASCII without blanks: nothing that looks like something else, or ends where it should not. */
const visible = z.string().max(maxPattern).regex(/^[\x21-\x7e]*$/, "has characters of no pattern");

function pattern(side: "from" | "to") {
  return visible.superRefine((text, context) => {
    const fault = patternFault(text, side);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });
}

const protocol = z.enum(flowProtocols);

/** A rule from outside: bounded, and its patterns can match something. */
export const aclRuleSchema: z.ZodType<AclRule> = z.strictObject({
  action: z.enum(["allow", "deny"]),
  from: pattern("from"),
  to: pattern("to"),
  ports: z.array(portRange).max(maxPortRanges),
  protocols: z.array(protocol).max(flowProtocols.length),
  comment: z.string().max(maxComment).regex(/^\P{C}*$/u, "has control characters"),
});

/** A name, an id or `tag:<tag>`. */
const someNodes = visible.min(1).refine(
  (text) => text.startsWith("tag:") ? text !== "tag:" : !/[*?[\]\\/]/.test(text),
  "is not a name, an id or tag:<tag>",
);

/** An assertion from outside: bounded. */
export const aclAssertionSchema: z.ZodType<AclAssertion> = z.strictObject({
  from: someNodes,
  to: someNodes,
  port: z.number().int().min(0).max(65_535),
  protocol,
  expect: z.enum(["allow", "deny"]),
});
