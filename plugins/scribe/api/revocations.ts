import { z } from "zod";
import type { NodeId } from "../../../core/identity/types.ts";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { HostServices, Json, PluginApiRoute } from "../../../core/plugin/types.ts";
import { revokeNode } from "../changes/revoke_node.ts";
import { unrevokeNode } from "../changes/unrevoke_node.ts";
import { ScribeError } from "../errors.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import { changed, conditions, force, nodeWord } from "./answers.ts";
import { adminRoute } from "./route.ts";

const revokeRequest = z.strictObject({
  node: nodeWord,
  reason: z.string().max(200).default(""),
  force,
});
const unrevokeRequest = z.strictObject({ node: nodeWord });

/** Who is put out of the network, and let in again. */
export function revocationRoutes(
  scribe: Scribe,
  peers: HostServices["peers"],
): PluginApiRoute[] {
  const event = (type: string, node: NodeId) => ({
    type,
    node,
    about: ({ revoked }: ConfigBody): Json => revoked.some((entry) => entry.node === node),
  });
  return [
    adminRoute("POST", "/revoke", "Put a node out of the network", async (request) => {
      const { reason, force: forced, ...wanted } = parseRequest(revokeRequest, request.body);
      const node = await scribe.node(wanted.node);
      if (!forced) await refuseCa(peers, node);
      return changed(
        await scribe.change(
          revokeNode,
          { node, reason },
          event("node_revoked", node),
          conditions(request, forced),
        ),
        { node },
      );
    }, { body: revokeRequest }),
    adminRoute("POST", "/unrevoke", "Let a revoked node in again", async (request) => {
      const node = await scribe.node(parseRequest(unrevokeRequest, request.body).node);
      return changed(
        await scribe.change(
          unrevokeNode,
          { node },
          event("node_unrevoked", node),
          conditions(request),
        ),
        { node },
      );
    }, { body: unrevokeRequest }),
  ];
}

/** Without its CA a network certifies nobody any more, and all its certificates run out. */
async function refuseCa(peers: HostServices["peers"], node: NodeId): Promise<void> {
  const peer = (await peers()).find(({ id }) => id === node);
  if (peer?.roles.includes("ca") !== true) return;
  throw new ScribeError(
    "REVOCATION_INVALID",
    `${node} is the network's CA: without it no certificate is renewed. Force it if that is meant`,
    { node },
  );
}
