import { z } from "zod";
import { configLimits as limits } from "./limits.ts";

const pattern = z.string().min(1).max(limits.patternLength).regex(
  /^[\x21-\x7e]+$/,
  "must be printable characters without spaces",
);
const protocol = z.enum(["tcp", "udp", "icmp"]);
const port = z.int().min(0).max(65_535);

const portRange = z.object({ from: port, to: port }).refine(
  ({ from, to }) => from <= to,
  "must not begin after its end",
);

/** Form and bounds of a rule; what its patterns mean is the policy's affair. */
export const aclRule = z.object({
  action: z.enum(["allow", "deny"]),
  from: pattern,
  to: pattern,
  ports: z.array(portRange).max(limits.portRanges),
  protocols: z.array(protocol).max(3),
  comment: z.string().max(limits.commentLength),
});

/** Form and bounds of an assertion. */
export const aclAssertion = z.object({
  from: pattern,
  to: pattern,
  port,
  protocol,
  expect: z.enum(["allow", "deny"]),
});
