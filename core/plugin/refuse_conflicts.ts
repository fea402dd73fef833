import { PluginError } from "./errors.ts";
import type { SupervisedPlugin } from "./supervised_plugin.ts";
import type { PluginSurface } from "./surface.ts";

/**
 * Two plugins cannot serve one protocol or one route.
 * @throws {PluginError} PLUGIN_CONFLICT
 */
export function refuseConflicts(
  name: string,
  surface: PluginSurface,
  others: Iterable<SupervisedPlugin>,
): void {
  const wanted = claims(surface);
  for (const other of others) {
    if (other.name === name || other.surface === undefined) continue;
    const taken = new Set(claims(other.surface));
    const shared = wanted.find((claim) => taken.has(claim));
    if (shared === undefined) continue;
    throw new PluginError(
      "PLUGIN_CONFLICT",
      `plugin ${name} and plugin ${other.name} both serve ${shared}; disable one of them`,
      { plugins: [name, other.name] },
    );
  }
}

function claims({ protocols, routes }: PluginSurface): string[] {
  return [
    ...protocols.map((protocol) => `the protocol ${protocol}`),
    ...routes.map(({ method, path }) => `${method} ${path}`),
  ];
}
