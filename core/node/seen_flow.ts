import { isIP } from "node:net";
import { isLoopbackIp, parseHostPort } from "../address/mod.ts";
import { errorCode } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { CompiledPolicy, FlowProtocol, PolicyFlow, Verdict } from "../policy/mod.ts";
import type { IncomingStream, StreamHeader, StreamRequest } from "../streams/mod.ts";
import { isControlProtocol } from "./control_protocols.ts";
import { targetProtocol } from "./target_protocols.ts";

/** Where a flow is looked at: by who opens it, by who carries it, by who is reached. */
export type FlowPlace = "source" | "relay" | "destination";

export type FlowEnds = readonly (string | null)[];

/** A stream as policy sees it from one place. */
export interface SeenFlow {
  readonly place: FlowPlace;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly protocol: FlowProtocol;
  readonly port: number;
  /**
   * Where it ends: one of these addresses behind the node, null the node itself. Undefined: that is not known here. Relays are not
   * told the target, and a name has addresses only where it is resolved.
   */
  addresses: FlowEnds | undefined;
}

/** Null: what nodes say among themselves, for which there are no rules. */
export function flowOfHeader(header: StreamHeader): SeenFlow | null {
  const { path, position } = header;
  return makeFlow(header, {
    place: position === path.length - 1 ? "destination" : "relay",
    from: path[0]!,
    to: path.at(-1)!,
    addresses: undefined,
  });
}

export function flowOfRequest(self: NodeId, request: StreamRequest): SeenFlow | null {
  const addresses = addressesAtSource(request);
  return makeFlow(request, { place: "source", from: self, to: request.destination, addresses });
}

/** The far end has proven who it is by now. */
export function flowOfIncoming(self: NodeId, from: IncomingStream): SeenFlow | null {
  return makeFlow(from, {
    place: "destination",
    from: from.origin.id,
    to: self,
    addresses: targetProtocol(from.protocol) === undefined ? [null] : undefined,
  });
}

/** What the policy says to the flow, as far as that can be known at this place; all of its addresses have to be allowed. */
export function judgeFlow(policy: CompiledPolicy, flow: SeenFlow): Verdict {
  const { from, to, protocol, port, addresses } = flow;
  const asked: PolicyFlow = { from, to, protocol, port };
  // Whoever may not reach the node is not served by it either, whatever lies behind.
  const unseen = policy.evaluateUnseen(asked);
  if (addresses === undefined || !unseen.allowed) return unseen;
  let verdict = unseen;
  for (const address of addresses) {
    verdict = policy.evaluate(address === null ? asked : { ...asked, address });
    if (!verdict.allowed) break;
  }
  return verdict;
}

function makeFlow(
  { protocol, port }: { readonly protocol: string; readonly port: number },
  more: Pick<SeenFlow, "place" | "from" | "to" | "addresses">,
): SeenFlow | null {
  return isControlProtocol(protocol) ? null : { protocol: flowProtocol(protocol), port, ...more };
}

/** Datagrams are carried by `udp`, or by a plugin's protocol whose name begins so; everything else is a stream. */
function flowProtocol(protocol: string): FlowProtocol {
  const [kind] = protocol.split(".", 1);
  return kind === "udp" || kind === "icmp" ? kind : "tcp";
}

function addressesAtSource({ protocol, target }: StreamRequest): FlowEnds | undefined {
  if (targetProtocol(protocol) === undefined || target === undefined) return [null];
  try {
    const { host } = parseHostPort(target);
    if (host.toLowerCase() === "localhost" || isLoopbackIp(host)) return [null];
    return isIP(host) === 0 ? undefined : [host];
  } catch (error) {
    // The destination says what is wrong with it.
    if (errorCode(error) === "ADDRESS_INVALID") return undefined;
    throw error;
  }
}
