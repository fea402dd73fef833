import type { CompiledPolicy } from "./compiled_policy.ts";
import type { NodeId } from "../identity/types.ts";
import { isNodeId } from "../identity/node_id.ts";
import type { AclAssertion, PolicyNode, Verdict } from "./types.ts";

/** An assertion that the policy does not keep, and one flow that shows it. */
export interface BrokenAssertion {
  readonly assertion: AclAssertion;
  /** Its number in the list, from 0. */
  readonly index: number;
  /** Null: the assertion names somebody who is not there, and `missing` says whom. */
  readonly flow: { readonly from: NodeId; readonly to: NodeId } | null;
  readonly missing: string | null;
  /** What the policy says to the flow, and by which rule. */
  readonly verdict: Verdict | null;
}

/**
 * Asks the policy about every pair of nodes each assertion names. A tag that nobody has asserts nothing: what is said of all its
 * nodes is true. A name nobody has is broken, because it says nothing about anybody.
 */
export function checkAssertions(
  policy: CompiledPolicy,
  assertions: readonly AclAssertion[],
  nodes: Iterable<PolicyNode> = policy.nodes.values(),
): BrokenAssertion[] {
  const known = [...nodes];
  const broken: BrokenAssertion[] = [];
  assertions.forEach((assertion, index) => {
    const fault = breach(policy, assertion, known);
    if (fault !== undefined) broken.push({ assertion, index, ...fault });
  });
  return broken;
}

function breach(
  policy: CompiledPolicy,
  assertion: AclAssertion,
  nodes: readonly PolicyNode[],
): Pick<BrokenAssertion, "flow" | "missing" | "verdict"> | undefined {
  const { port, protocol, expect } = assertion;
  const from = named(nodes, assertion.from);
  const to = named(nodes, assertion.to);
  if (from === undefined || to === undefined) {
    const missing = from === undefined ? assertion.from : assertion.to;
    return { flow: null, missing, verdict: null };
  }
  const origins = oneOfAKind(from, (id) => policy.index.from(id));
  const destinations = oneOfAKind(to, (id) => policy.index.to(id));
  for (const origin of origins) {
    for (const destination of destinations) {
      const verdict = policy.evaluate({ from: origin, to: destination, protocol, port });
      if (verdict.allowed !== (expect === "allow")) {
        return { flow: { from: origin, to: destination }, missing: null, verdict };
      }
    }
  }
  return undefined;
}

/** Undefined: nobody is called that. */
function named(nodes: readonly PolicyNode[], text: string): readonly NodeId[] | undefined {
  if (text.startsWith("tag:")) {
    const tag = text.slice("tag:".length);
    return nodes.filter(({ tags }) => tags.includes(tag)).map(({ id }) => id);
  }
  const found = nodes.find(({ name }) => name === text);
  return found !== undefined ? [found.id] : isNodeId(text) ? [text] : undefined;
}

/** One node for each row: nodes that the same rules match need not be asked about again. */
function oneOfAKind(ids: readonly NodeId[], row: (id: NodeId) => Uint32Array): NodeId[] {
  return [...new Map(ids.map((id) => [row(id).join(), id])).values()];
}
