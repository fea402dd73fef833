import fc from "fast-check";
import { Glob } from "./glob.ts";
import { parsePorts } from "./ports.ts";
import type { AclRule, FlowProtocol, PolicyFlow, PolicyNode, PortRange, Verdict } from "./types.ts";

/** A rule in short. */
export function rule(
  action: AclRule["action"],
  from: string,
  to: string,
  more: { readonly ports?: string; readonly protocols?: readonly FlowProtocol[] } = {},
): AclRule {
  const { ports = "", protocols = [] } = more;
  return { action, from, to, ports: parsePorts(ports), protocols, comment: "" };
}

/** An id of 32 hex characters out of a short text of hex characters. */
export function testId(text: string): string {
  return text.padEnd(32, "0");
}

/** A node whose id begins with `id`. */
export function testNode(
  id: string,
  name: string | null = null,
  tags: readonly string[] = [],
  addresses: readonly string[] = [],
): PolicyNode {
  return { id: testId(id), name, tags, addresses };
}

/** Ranges that a rule may have; small ports, so that two of them often meet. */
export function anyPortRange(highest = 65_535): fc.Arbitrary<PortRange> {
  return fc.tuple(fc.integer({ min: 1, max: highest }), fc.integer({ min: 1, max: highest }))
    .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
}

export const anyProtocol: fc.Arbitrary<FlowProtocol> = fc.constantFrom("tcp", "udp", "icmp");

/** A world so small that rules, nodes and flows meet all the time. */
const ids = ["a1", "a2", "b1", "b2", "c1"].map(testId);
const addresses = ["10.0.0.5", "10.1.0.5", "192.0.2.1", "::ffff:10.0.0.5", "fd00::5", "none"];
const meshAddresses = ["10.100.0.1", "10.100.0.2", "fd99::1"];
const nodePatterns = [
  ...["*", "", "tag:dev", "tag:prod", "tag:", "web", "db", "a*", "?1*", "[bc]*", "[", "*2*"],
  ...[ids[0]!, ids[2]!, ids[0]!.slice(1)],
];
const cidrs = ["10.0.0.0/8", "10.0.0.0/16", "0.0.0.0/0", "fd00::/8", "::/0", "10.0.0.5", "1/2"];

export const anyNode: fc.Arbitrary<PolicyNode> = fc.record({
  id: fc.constantFrom(...ids),
  name: fc.constantFrom(null, "web", "db", "a*"),
  tags: fc.subarray(["dev", "prod"]),
  addresses: fc.subarray(meshAddresses, { maxLength: 1 }),
});

export const anyNodes: fc.Arbitrary<PolicyNode[]> = fc.uniqueArray(anyNode, {
  selector: ({ id }) => id,
  maxLength: 4,
});

export const anyRule: fc.Arbitrary<AclRule> = fc.record({
  action: fc.constantFrom("allow", "deny"),
  from: fc.constantFrom(...nodePatterns),
  to: fc.constantFrom(...nodePatterns, ...cidrs),
  ports: fc.array(anyPortRange(6), { maxLength: 3 }),
  protocols: fc.subarray<FlowProtocol>(["tcp", "udp", "icmp"]),
  comment: fc.constant(""),
});

export const anyFlow: fc.Arbitrary<PolicyFlow> = fc.record({
  from: fc.constantFrom(...ids),
  to: fc.constantFrom(...ids),
  protocol: anyProtocol,
  port: fc.nat(7),
  address: fc.constantFrom(undefined, ...addresses, ...meshAddresses),
}).map(({ address, ...flow }) => address === undefined ? flow : { ...flow, address });

/** A second evaluator: slow, plain, and sharing only the glob with the first. */
export function naiveVerdict(
  rules: readonly AclRule[],
  nodes: readonly PolicyNode[],
  asked: PolicyFlow,
): Verdict {
  if (rules.length === 0) return { allowed: true, rule: null, reason: "open" };
  let flow = asked;
  const owner = nodes.findLast((node) => node.addresses?.includes(asked.address ?? "-"));
  if (owner !== undefined) {
    const { from, protocol, port } = asked;
    flow = { from, to: owner.id, protocol, port };
  }
  const isNode = (pattern: string, id: string) => {
    const node = nodes.find((candidate) => candidate.id === id);
    if (pattern.startsWith("tag:")) return node?.tags.includes(pattern.slice(4)) ?? false;
    return node?.name === pattern || (Glob.parse(pattern)?.matches(id) ?? false);
  };
  const all = (pattern: string) => pattern === "" || pattern === "*";
  for (const [index, { action, from, to, ports, protocols }] of rules.entries()) {
    if (!all(from) && !isNode(from, flow.from)) continue;
    const node = (flow.address === undefined || action === "deny") && isNode(to, flow.to);
    if (!all(to) && !node && !naiveContains(to, flow.address)) continue;
    if (ports.length > 0 && !ports.some((p) => p.from <= flow.port && flow.port <= p.to)) continue;
    if (protocols.length > 0 && !protocols.includes(flow.protocol)) continue;
    return { allowed: action === "allow", rule: index, reason: "rule" };
  }
  return { allowed: false, rule: null, reason: "unmatched" };
}

/** By hand, for the few ranges and addresses of this file. */
function naiveContains(cidr: string, address: string | undefined): boolean {
  const v4 = address?.replace("::ffff:", "") ?? "";
  const isV4 = /^[0-9.]+$/.test(v4);
  switch (cidr) {
    case "10.0.0.0/8":
      return v4.startsWith("10.");
    case "10.0.0.0/16":
      return v4.startsWith("10.0.");
    case "0.0.0.0/0":
      return isV4;
    case "fd00::/8":
      return address?.startsWith("fd") ?? false;
    case "::/0":
      return address?.includes(":") ?? false;
    case "10.0.0.5":
      return v4 === "10.0.0.5";
    default:
      return false;
  }
}
