import { z } from "zod";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { Json, PluginApiRoute } from "../../../core/plugin/types.ts";
import { approveRoute } from "../changes/approve_route.ts";
import { removeRoute } from "../changes/remove_route.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import { versionText } from "../version_text.ts";
import { changed, conditions, named, nodeWord, pageOf, pageQuery } from "./answers.ts";
import { adminRoute, readRoute } from "./route.ts";

const cidr = z.string().max(64);
const approveRequest = z.strictObject({ cidr, via: nodeWord });
const removeRequest = z.strictObject({ cidr, via: nodeWord.optional() });

const event = {
  type: "route_changed",
  about: ({ routes }: ConfigBody): Json => routes.map((route) => ({ ...route })),
};

/** Ranges outside the mesh and the nodes that may lead there. */
export function exitRoutes(scribe: Scribe): PluginApiRoute[] {
  return [
    readRoute("/routes", "List the approved routes out of the mesh", async ({ query }) => {
      const current = await scribe.mesh.current();
      const { routes } = current.body;
      const { items, next } = pageOf(routes, ({ cidr, via }) => `${cidr} ${via}`, query);
      const body = { routes: items.map((route) => ({ ...route })), next };
      return { status: 200, body, etag: versionText(current) };
    }, pageQuery),
    adminRoute("POST", "/routes", "Approve a route through a node", async (request) => {
      const { cidr, via } = parseRequest(approveRequest, request.body);
      const argument = { cidr, via: await scribe.node(via) };
      return changed(await scribe.change(approveRoute, argument, event, conditions(request)));
    }, { body: approveRequest }),
    adminRoute("DELETE", "/routes", "Take the approval of a route back", async (request) => {
      const { cidr, via } = parseRequest(removeRequest, named(request));
      const argument = via === undefined ? { cidr } : { cidr, via: await scribe.node(via) };
      return changed(await scribe.change(removeRoute, argument, event, conditions(request)));
    }, { query: removeRequest }),
  ];
}
