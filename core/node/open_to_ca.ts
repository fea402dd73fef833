import { errorText, PulseError } from "../errors/mod.ts";
import type { NodeId } from "../identity/mod.ts";
import type { MeshStream } from "../streams/mod.ts";
import type { Node } from "./node.ts";

/**
 * A stream to any reachable node whose certificate, not its word, says that it is a CA.
 * @throws {PulseError} CA_UNREACHABLE none is known, or none answers
 */
export async function openToCa(
  node: Node | undefined,
  protocol: string,
  signal: AbortSignal,
): Promise<MeshStream> {
  let failure: unknown;
  if (node !== undefined) {
    for (const destination of knownCas(node)) {
      try {
        return await node.openStream({ destination, protocol, port: 0 }, { signal });
      } catch (error) {
        failure = error;
      }
    }
  }
  throw new PulseError(
    "CA_UNREACHABLE",
    failure === undefined
      ? "No node with the role ca is known here yet"
      : `The CA cannot be reached: ${errorText(failure)}`,
    {},
    failure,
  );
}

function knownCas(node: Node): Set<NodeId> {
  const cas = new Set<NodeId>();
  for (const record of node.records()) {
    if (record.certificate.roles.includes("ca")) cas.add(record.id);
  }
  for (const peer of node.linkedPeers()) {
    if (node.link(peer)?.session.peer.roles.includes("ca")) cas.add(peer);
  }
  return cas;
}
