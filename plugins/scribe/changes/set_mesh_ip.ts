import { ipToText, parseIpv4, parseMeshCidr } from "../../../core/identity/mod.ts";
import type { NodeId } from "../../../core/identity/types.ts";
import { ScribeError } from "../errors.ts";
import { entryOf, nodeText, withEntry } from "./node_entry.ts";
import type { Change } from "./types.ts";

/**
 * Gives a node another mesh address than the one in its certificate, or (null) that one again.
 * @throws {ScribeError} MESH_IP_INVALID, MESH_IP_TAKEN
 */
export const setMeshIp: Change<{ readonly node: NodeId; readonly meshIp: string | null }> = (
  body,
  { node, meshIp },
  { nodes },
) => {
  if (entryOf(body, node).meshIp === meshIp) return { body, note: "mesh address unchanged" };
  if (meshIp === null) {
    const note = `${nodeText(body, node)} has the mesh address of its certificate again`;
    return { body: withEntry(body, node, { meshIp }), note };
  }
  const address = usableAddress(meshIp, body.meshCidr);
  const holder =
    Object.entries(body.nodes).find(([id, { meshIp }]) => meshIp === address && id !== node)
      ?.[0] ??
      nodes.find(({ id, meshAddresses }) => id !== node && meshAddresses.includes(address))?.id;
  if (holder !== undefined) {
    throw new ScribeError("MESH_IP_TAKEN", `${address} is the mesh address of node ${holder}`, {
      address,
      node: holder,
    });
  }
  return {
    body: withEntry(body, node, { meshIp: address }),
    note: `${nodeText(body, node)} has mesh address ${address}`,
  };
};

function usableAddress(text: string, cidr: string): string {
  const { network, hosts } = parseMeshCidr(cidr);
  const bytes = parseIpv4(text);
  // Of 2^n addresses the first is the network's and the last the broadcast address.
  const host = bytes === null ? 0 : new DataView(bytes.buffer).getUint32(0) - network;
  if (bytes === null || host < 1 || host > hosts) {
    throw new ScribeError(
      "MESH_IP_INVALID",
      `"${
        text.slice(0, 64)
      }" cannot be a mesh address: use an IPv4 address inside ${cidr} that is neither its first nor its last`,
      { address: text.slice(0, 64), cidr },
    );
  }
  return ipToText(bytes);
}
