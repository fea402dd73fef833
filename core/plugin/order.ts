import { PluginError } from "./errors.ts";
import type { PluginManifest } from "./types.ts";

export interface OrderOptions {
  /** Services core itself offers. */
  readonly coreServices?: readonly string[];
  /** Installed plugins that are not enabled, so that an error can name the one to enable. */
  readonly available?: Readonly<Record<string, PluginManifest>>;
}

/**
 * The order to load plugins in: providers before those who need them, otherwise as given. The reverse is the order to stop them.
 * @param manifests the enabled plugins by name
 * @throws {PluginError} PLUGIN_NEED_UNMET, PLUGIN_CYCLE, PLUGIN_CONFLICT; each names both sides
 */
export function loadOrder(
  manifests: Readonly<Record<string, PluginManifest>>,
  options: OrderOptions = {},
): string[] {
  const providers = providersOf(manifests, options.coreServices ?? []);
  const order: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (name: string) => {
    if (done.has(name)) return;
    if (trail.includes(name)) throw cycle([...trail.slice(trail.indexOf(name)), name]);
    trail.push(name);
    for (const service of manifests[name]?.needs ?? []) {
      const provider = providers.get(service);
      if (provider === undefined) throw unmet(name, service, options.available ?? {});
      if (provider !== null) visit(provider);
    }
    trail.pop();
    done.add(name);
    order.push(name);
  };
  Object.keys(manifests).forEach(visit);
  return order;
}

/** Service -> plugin, null for core. */
function providersOf(
  manifests: Readonly<Record<string, PluginManifest>>,
  coreServices: readonly string[],
): Map<string, string | null> {
  const providers = new Map<string, string | null>(coreServices.map((service) => [service, null]));
  for (const [name, { provides = [] }] of Object.entries(manifests)) {
    for (const service of provides) {
      const other = providers.get(service);
      if (other !== undefined) {
        const first = other === null ? "pulse itself" : `plugin ${other}`;
        throw new PluginError(
          "PLUGIN_CONFLICT",
          `${first} and plugin ${name} both provide the service ${service}; remove one of them`,
          { service, plugins: [other ?? "core", name] },
        );
      }
      providers.set(service, name);
    }
  }
  return providers;
}

function unmet(
  name: string,
  service: string,
  available: Readonly<Record<string, PluginManifest>>,
): PluginError {
  const candidates = Object.keys(available).filter((candidate) =>
    available[candidate]?.provides?.includes(service)
  );
  const remedy = candidates.length > 0
    ? `enable ${candidates.join(" or ")} or remove ${name}`
    : `install a plugin that provides it or remove ${name}`;
  return new PluginError(
    "PLUGIN_NEED_UNMET",
    `plugin ${name} needs the service ${service}, which nobody provides; ${remedy}`,
    { plugin: name, service, candidates },
  );
}

function cycle(trail: readonly string[]): PluginError {
  return new PluginError(
    "PLUGIN_CYCLE",
    `plugins need each other in a circle: ${trail.join(" needs ")}; remove one of them`,
    { plugins: trail },
  );
}
