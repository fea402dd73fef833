import { z } from "zod";
import type { RemoteCommand } from "../../../core/commands/mod.ts";
import type { NodeId } from "../../../core/identity/types.ts";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type {
  PluginApiRequest,
  PluginApiResponse,
  PluginApiRoute,
} from "../../../core/plugin/types.ts";
import { entryOf } from "../changes/node_entry.ts";
import { checkTag, tagMatches } from "../changes/tag.ts";
import { ScribeError } from "../errors.ts";
import type { RemoteControl } from "../remote_control.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import { nodeWord } from "./answers.ts";
import { adminRoute } from "./route.ts";

const settings = z.record(z.string().max(64), z.string().max(4_096))
  .refine((given) => Object.keys(given).length > 0, "names no setting")
  .refine((given) => Object.keys(given).length <= 32, "has more than 32 settings");
const restartRequest = z.strictObject({ node: nodeWord });
const configRequest = z.strictObject({ node: nodeWord, config: settings });
const bulkRequest = z.discriminatedUnion("action", [
  z.strictObject({ pattern: z.string().max(63), action: z.literal("restart") }),
  z.strictObject({ pattern: z.string().max(63), action: z.literal("config"), config: settings }),
  z.strictObject({ pattern: z.string().max(63), action: z.literal("push_config") }),
]);
/** Nodes of one command. */
const maxNodes = 1_000;

export interface RemoteRoutesOptions {
  readonly scribe: Scribe;
  readonly control: RemoteControl;
  readonly emit: (type: string, fields: { readonly [key: string]: string | number }) => void;
  readonly signal: AbortSignal;
}

/** Commands to nodes. The answer says what each did. */
export function remoteRoutes(options: RemoteRoutesOptions): PluginApiRoute[] {
  const { scribe, control, emit, signal } = options;
  const tell = async (
    request: PluginApiRequest,
    what: string,
    orders: ReadonlyMap<NodeId, RemoteCommand>,
  ): Promise<PluginApiResponse> => {
    await requireScribe(scribe);
    // The scribe goes last: one that restarts tells nobody anything any more.
    const others = new Map([...orders].filter(([node]) => node !== scribe.self));
    const own = new Map([...orders].filter(([node]) => node === scribe.self));
    const results = [...await control.tell(others, signal), ...await control.tell(own, signal)];
    const failed = results.filter(({ ok }) => !ok).length;
    emit("remote_command", {
      by: request.by ?? "local",
      command: what,
      nodes: results.length,
      failed,
    });
    return { status: 200, body: { matched: results.length, failed, results } };
  };
  return [
    adminRoute("POST", "/remote/restart", "Restart a node", async (request) => {
      const node = await scribe.node(parseRequest(restartRequest, request.body).node);
      return await tell(request, "restart", new Map([[node, { kind: "restart" }]]));
    }, { body: restartRequest }),
    adminRoute("POST", "/remote/config", "Change settings of a running node", async (request) => {
      const { config, ...wanted } = parseRequest(configRequest, request.body);
      const node = await scribe.node(wanted.node);
      const order: RemoteCommand = { kind: "configure", settings: config };
      return await tell(request, "config", new Map([[node, order]]));
    }, { body: configRequest }),
    adminRoute("POST", "/bulk", "Tell all nodes of a tag what to do", async (request) => {
      const wanted = parseRequest(bulkRequest, request.body);
      const { body } = await scribe.mesh.current();
      const known = (await scribe.mesh.directory()).map(({ id }) => id);
      const nodes = nodesOf(body, known, wanted.pattern);
      const orders = new Map(
        nodes.map((node) => [node, orderFor(wanted, body, node)] as const)
          .filter((order): order is [NodeId, RemoteCommand] => order[1] !== null),
      );
      if (orders.size === 0) {
        throw new ScribeError(
          "NODE_UNKNOWN",
          `no node has the tag ${wanted.pattern}${
            wanted.action === "push_config" ? " and a template" : ""
          }`,
          { pattern: wanted.pattern },
        );
      }
      return await tell(request, wanted.action, orders);
    }, { body: bulkRequest }),
  ];
}

/** Nodes with a tag, or one below it; `*` is all of them. Revoked ones are out. */
function nodesOf(body: ConfigBody, known: readonly NodeId[], pattern: string): NodeId[] {
  if (pattern !== "*") checkTag(pattern);
  const revoked = new Set(body.revoked.map(({ node }) => node));
  const ids = [...new Set([...known, ...Object.keys(body.nodes)])].filter((id) =>
    !revoked.has(id) &&
    (pattern === "*" || entryOf(body, id).tags.some((tag) => tagMatches(pattern, tag)))
  );
  if (ids.length <= maxNodes) return ids;
  throw new ScribeError(
    "SCRIBE_REQUEST_INVALID",
    `${pattern} stands for ${ids.length} nodes, a command goes to ${maxNodes} at most: use a narrower tag`,
  );
}

function orderFor(
  wanted: z.infer<typeof bulkRequest>,
  body: ConfigBody,
  node: NodeId,
): RemoteCommand | null {
  switch (wanted.action) {
    case "restart":
      return { kind: "restart" };
    case "config":
      return { kind: "configure", settings: wanted.config };
    case "push_config": {
      const own = templateFor(body, node);
      return Object.keys(own).length === 0 ? null : { kind: "configure", settings: own };
    }
  }
}

/** The settings of all templates that fit a node; of two that say different things, the longer pattern counts. */
export function templateFor(body: ConfigBody, node: NodeId): { readonly [key: string]: string } {
  const { tags } = entryOf(body, node);
  const fitting = Object.entries(body.templates)
    .filter(([pattern]) => tags.some((tag) => tagMatches(pattern, tag)))
    .sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  return Object.assign({}, ...fitting.map(([, settings]) => settings));
}

async function requireScribe(scribe: Scribe): Promise<void> {
  if ((await scribe.mesh.current()).scribe) return;
  throw new ScribeError(
    "NETCONFIG_NOT_SCRIBE",
    "this node is not the network's scribe, and nodes obey that one alone",
  );
}
