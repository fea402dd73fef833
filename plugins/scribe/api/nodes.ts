import { z } from "zod";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { Json, PluginApiRoute } from "../../../core/plugin/types.ts";
import { entryOf } from "../changes/node_entry.ts";
import { tagMatches } from "../changes/tag.ts";
import { ScribeError } from "../errors.ts";
import type { DirectoryNode } from "../mesh_services.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import { versionText } from "../version_text.ts";
import { pageOf, pageQuery } from "./answers.ts";
import { readRoute } from "./route.ts";

const filters = z.object({ tag: z.string().max(63).optional() });

/** What the network looks like: nodes, their groups, the versions they run. */
export function nodeRoutes(scribe: Scribe): PluginApiRoute[] {
  const all = async () => {
    const [current, directory] = await Promise.all([
      scribe.mesh.current(),
      scribe.mesh.directory(),
    ]);
    return { version: versionText(current), nodes: describeNodes(current.body, directory) };
  };
  return [
    readRoute("/nodes", "List the nodes of the network", async ({ query }) => {
      const { tag } = parseRequest(filters, query);
      const { nodes, version } = await all();
      const wanted = nodes.filter(({ tags }) =>
        tag === undefined || tags.some((own) => tagMatches(tag, own))
      );
      const { items, next } = pageOf(wanted, ({ id }) => id, query);
      // No tag, as with one node: who is linked, and since when, is not in the version.
      return { status: 200, body: { nodes: items.map(nodeJson), next, configVersion: version } };
    }, pageQuery.extend(filters.shape)),
    readRoute("/node/:id", "Show one node", async ({ params }) => {
      const id = await scribe.node(params["id"] ?? "");
      const { nodes, version } = await all();
      const node = nodes.find((one) => one.id === id);
      if (node === undefined) {
        throw new ScribeError("NODE_UNKNOWN", `the network has no node ${id}`, { node: id });
      }
      return { status: 200, body: { ...node, configVersion: version } };
    }),
    readRoute("/groups", "Count the nodes of every tag", async () => {
      const { nodes, version } = await all();
      const groups: Record<string, number> = Object.create(null);
      for (const tag of nodes.flatMap(({ tags }) => tags)) groups[tag] = (groups[tag] ?? 0) + 1;
      return { status: 200, body: { ...groups }, etag: version };
    }),
    readRoute("/versions", "Count the nodes of every version of pulse", async () => {
      const { nodes } = await all();
      const counts: Record<string, number> = Object.create(null);
      for (const { version } of nodes) counts[version] = (counts[version] ?? 0) + 1;
      return {
        status: 200,
        body: { counts: { ...counts }, nodes: nodes.map(({ id, version }) => ({ id, version })) },
      };
    }),
  ];
}

interface NodeView {
  readonly id: string;
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly meshIp: string | null;
  readonly meshAddresses: readonly string[];
  readonly pinnedVia: string | null;
  readonly revoked: boolean;
  readonly linked: boolean;
  readonly lastSeenSeconds: number | null;
  readonly services: Json;
  readonly version: string;
}

/** Nodes the mesh shows, and those only the config speaks of. */
export function describeNodes(
  body: ConfigBody,
  directory: readonly DirectoryNode[],
): readonly NodeView[] {
  const seen = new Map(directory.map((node) => [node.id, node]));
  const revoked = new Set(body.revoked.map(({ node }) => node));
  const ids = new Set([...seen.keys(), ...Object.keys(body.nodes), ...revoked]);
  return [...ids].map((id) => {
    const node = seen.get(id);
    return {
      id,
      ...entryOf(body, id),
      meshAddresses: node?.meshAddresses ?? [],
      revoked: revoked.has(id),
      linked: node?.linked ?? false,
      lastSeenSeconds: node?.lastSeenSeconds ?? null,
      services: node?.services ?? [],
      version: node?.version ?? "unknown",
    };
  });
}

function nodeJson(node: NodeView): Json {
  return { ...node };
}
