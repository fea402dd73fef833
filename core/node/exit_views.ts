import { PulseError } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { NoPath, Paths } from "../router/mod.ts";
import {
  exitCapability,
  ExitView,
  type ExitViewOptions,
  packetExitCapability,
} from "./exit_view.ts";
import type { NodeOptions } from "./node_options.ts";

const noExit = { cidrs: [], use: null, killswitch: false };

/** What the views want to know of the node they belong to. */
export interface ExitViewsNode
  extends Pick<ExitViewOptions, "self" | "body" | "pathsVersion" | "configVersion" | "addresses"> {
  paths(destination: NodeId): Paths | NoPath;
  /** @throws {PulseError} no such node, or several */
  findNode(text: string): NodeId;
}

/** The ways out of the mesh that connections can go, and those of them that packets can. */
export function exitViews(
  options: NodeOptions,
  node: ExitViewsNode,
): { exits: ExitView; packetExits: ExitView } {
  const { cidrs, use, killswitch } = options.exit ?? noExit;
  const view = (capability: string) =>
    new ExitView({
      ...node,
      capability,
      cidrs: () => options.capabilities.includes(capability) ? cidrs : [],
      use: use ?? undefined,
      killswitch,
      score: (id) => {
        const found = node.paths(id);
        return "paths" in found ? found.paths[0]?.score ?? null : null;
      },
      findNode: (text) => {
        try {
          return node.findNode(text);
        } catch (error) {
          if (error instanceof PulseError) return undefined;
          throw error;
        }
      },
    });
  return { exits: view(exitCapability), packetExits: view(packetExitCapability) };
}
