import { canonicalMeshCidr, isMeshHost, parseMeshCidr } from "../../../core/identity/mod.ts";
import { ScribeError } from "../errors.ts";
import type { Change } from "./types.ts";

/**
 * Moves all mesh addresses to another range: the CA gives every node one in it. Addresses given by hand that are not in it are taken
 * back.
 * @throws {IdentityError} MESH_CIDR_INVALID
 * @throws {ScribeError} MESH_CIDR_TOO_SMALL
 */
export const setMeshCidr: Change<{ readonly meshCidr: string }> = (body, argument, { nodes }) => {
  const meshCidr = canonicalMeshCidr(argument.meshCidr);
  if (meshCidr === body.meshCidr) return { body, note: "mesh CIDR unchanged" };
  const { hosts } = parseMeshCidr(meshCidr);
  if (hosts < nodes.length) {
    throw new ScribeError(
      "MESH_CIDR_TOO_SMALL",
      `${meshCidr} has ${hosts} addresses and the mesh ${nodes.length} nodes: use a larger range`,
      { meshCidr, hosts, nodes: nodes.length },
    );
  }
  let lost = 0;
  const kept = Object.entries(body.nodes).flatMap(([id, entry]) => {
    if (entry.meshIp === null || isMeshHost(entry.meshIp, meshCidr)) return [[id, entry] as const];
    lost++;
    const { name, tags, pinnedVia } = entry;
    const isEmpty = name === null && tags.length === 0 && pinnedVia === null;
    return isEmpty ? [] : [[id, { ...entry, meshIp: null }] as const];
  });
  const taken = lost === 0 ? "" : `, ${lost} given by hand taken back`;
  return {
    body: { ...body, meshCidr, nodes: Object.fromEntries(kept) },
    note: `mesh addresses are in ${meshCidr}, not in ${body.meshCidr}${taken}`,
  };
};
