import { z } from "zod";
import type { NodeId } from "../../../core/identity/types.ts";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { Json, PluginApiRoute } from "../../../core/plugin/types.ts";
import { entryOf } from "../changes/node_entry.ts";
import { setMeshIp } from "../changes/set_mesh_ip.ts";
import { setName } from "../changes/set_name.ts";
import { setPin } from "../changes/set_pin.ts";
import { tagNode } from "../changes/tag_node.ts";
import { untagNode } from "../changes/untag_node.ts";
import { parseRequest } from "../request.ts";
import type { ChangeEvent, Scribe } from "../scribe.ts";
import { changed, conditions, force, named, nodeWord } from "./answers.ts";
import { adminRoute } from "./route.ts";

const text = z.string().max(300);
const tagRequest = z.strictObject({ node: nodeWord, tag: text, force });
/** `DELETE` may say it all in the query. */
const untagRequest = z.strictObject({
  node: nodeWord,
  tag: text,
  force: z.union([z.boolean(), z.enum(["true", "false"]).transform((word) => word === "true")])
    .default(false),
});
const nameRequest = z.strictObject({ node: nodeWord, name: text.nullable(), force });
const meshIpRequest = z.strictObject({ node: nodeWord, meshIp: text.nullable() });
const pinRequest = z.strictObject({ node: nodeWord, via: nodeWord });
const unpinRequest = z.strictObject({ node: nodeWord });

/** What the config says of one node. */
export function nodeChangeRoutes(scribe: Scribe): PluginApiRoute[] {
  const event = (type: string, node: NodeId): ChangeEvent => ({
    type,
    node,
    about: (body: ConfigBody): Json => ({ ...entryOf(body, node) }),
  });
  return [
    adminRoute("POST", "/tags", "Give a node a tag", async (request) => {
      const { tag, force: forced, ...wanted } = parseRequest(tagRequest, request.body);
      const node = await scribe.node(wanted.node);
      return changed(
        await scribe.change(
          tagNode,
          { node, tag },
          event("tag_changed", node),
          conditions(request, forced),
        ),
        { node },
      );
    }, { body: tagRequest }),
    adminRoute("DELETE", "/tags", "Take a tag from a node", async (request) => {
      const { tag, force: forced, ...wanted } = parseRequest(untagRequest, named(request));
      const node = await scribe.node(wanted.node);
      return changed(
        await scribe.change(
          untagNode,
          { node, tag },
          event("tag_changed", node),
          conditions(request, forced),
        ),
        { node },
      );
    }, { query: untagRequest }),
    adminRoute("PUT", "/name", "Give a node a name; null takes it away", async (request) => {
      const { force: forced, ...wanted } = parseRequest(nameRequest, request.body);
      const node = await scribe.node(wanted.node);
      const name = wanted.name === "" ? null : wanted.name;
      return changed(
        await scribe.change(
          setName,
          { node, name },
          event("name_changed", node),
          conditions(request, forced),
        ),
        { node },
      );
    }, { body: nameRequest }),
    adminRoute("PUT", "/mesh-ip", "Give a node a mesh address; null: its own", async (request) => {
      const { meshIp, ...wanted } = parseRequest(meshIpRequest, request.body);
      const node = await scribe.node(wanted.node);
      return changed(
        await scribe.change(
          setMeshIp,
          { node, meshIp },
          event("mesh_ip_changed", node),
          conditions(request),
        ),
        { node },
      );
    }, { body: meshIpRequest }),
    adminRoute("PUT", "/pin", "Reach a node through another one only", async (request) => {
      const wanted = parseRequest(pinRequest, request.body);
      const [node, via] = await Promise.all([scribe.node(wanted.node), scribe.node(wanted.via)]);
      return changed(
        await scribe.change(
          setPin,
          { node, via },
          event("pin_changed", node),
          conditions(request),
        ),
        { node },
      );
    }, { body: pinRequest }),
    adminRoute("DELETE", "/pin", "Reach a node as it comes again", async (request) => {
      const node = await scribe.node(parseRequest(unpinRequest, named(request)).node);
      const change = { node, via: null };
      return changed(
        await scribe.change(setPin, change, event("pin_changed", node), conditions(request)),
        { node },
      );
    }, { query: unpinRequest }),
  ];
}
