import type { NodeCertificate, NodeId } from "../identity/types.ts";
import type { ConfigBody, DnsRecord, NodeEntry } from "../netconfig/mod.ts";
import { Router } from "../router/mod.ts";
import { reportedLinks } from "./mesh_view.ts";
import type { Node } from "./node.ts";

/** What everybody may know of a node that nothing was said about. */
export const plainEntry: NodeEntry = { name: null, tags: [], meshIp: null, pinnedVia: null };

export interface DirectoryNode {
  readonly id: NodeId;
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly meshAddresses: readonly string[];
  /** Where it may be dialled, by its own word. */
  readonly addresses: readonly string[];
  readonly services: readonly { readonly name: string; readonly port: number }[];
  readonly version: string;
  readonly linked: boolean;
  readonly lastSeenSeconds: number;
}

/** Every node of the network as this one knows it, and the records beside them. */
export interface Directory {
  /** Of the network config in force; 0 while there is none. */
  readonly version: number;
  readonly network: string;
  readonly self: NodeId;
  readonly nodes: readonly DirectoryNode[];
  readonly records: readonly DnsRecord[];
}

/** Mesh addresses of a node: an address of the network config stands in the place of the certificate's IPv4. */
export function meshAddressesOf(
  certificate: Pick<NodeCertificate, "meshAddresses"> | undefined,
  entry: NodeEntry | undefined,
): readonly string[] {
  const bound = certificate?.meshAddresses ?? [];
  const override = entry?.meshIp ?? null;
  if (override === null) return bound;
  return [override, ...bound.filter((address) => address.includes(":"))];
}

/** @param now monotonic, ms */
export function directorySnapshot(node: Node, now: number): Directory {
  const { body, state } = node.networkConfig;
  return {
    version: state.config?.document.version ?? 0,
    network: node.credentials.certificate.network,
    self: node.id,
    nodes: Array.from(node.records(), ({ id, certificate, report, refreshedAt }) => ({
      id,
      ...labels(body, id),
      meshAddresses: meshAddressesOf(certificate, body.nodes[id]),
      addresses: report.addresses,
      services: report.services.map(({ name, port }) => ({ name, port })),
      version: report.version,
      linked: node.link(id) !== undefined,
      lastSeenSeconds: id === node.id ? 0 : Math.max(0, (now - refreshedAt) / 1000),
    })),
    records: body.dns,
  };
}

/** Name and tags of a node. */
export function labels(body: ConfigBody, id: NodeId): Pick<NodeEntry, "name" | "tags"> {
  const { name, tags } = body.nodes[id] ?? plainEntry;
  return { name, tags };
}

/** The best path between any two nodes by what all records say today; null when there is none. */
export function pathBetween(node: Node, from: NodeId, to: NodeId): readonly NodeId[] | null {
  if (from === to) return [from];
  if (from === node.id) return best(node.paths(to));
  const router = new Router({ self: from, random: () => 0 });
  const records = [...node.records()];
  router.setTopology(reportedLinks(records), 1, records.map(({ id }) => id));
  const links = records.find(({ id }) => id === from)?.report.links ?? [];
  router.setLiveNeighbours(links.map(({ peer }) => peer));
  router.setRevoked(node.networkConfig.body.revoked.map((revocation) => revocation.node));
  return best(router.paths(to));
}

function best(found: ReturnType<Router["paths"]>): readonly NodeId[] | null {
  return "paths" in found ? found.paths[0]?.nodes ?? null : null;
}
