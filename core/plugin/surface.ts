import { z } from "zod";
import { PluginError } from "./errors.ts";
import type { PluginHooks, PluginManifest } from "./types.ts";

/** Hooks the host calls only where a plugin has them. */
export type OptionalHook =
  | "onLinkUp"
  | "onLinkDown"
  | "onConfig"
  | "onNetworkConfig"
  | "join"
  | "resolveName"
  | "metrics"
  | "health";

const optionalHooks = [
  "onLinkUp",
  "onLinkDown",
  "onConfig",
  "onNetworkConfig",
  "join",
  "resolveName",
  "metrics",
  "health",
] as const satisfies readonly OptionalHook[];

const method = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/);

const surface = z.strictObject({
  hooks: z.array(z.enum(optionalHooks)).max(optionalHooks.length),
  protocols: z.array(z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/)).max(32),
  services: z.record(z.string().max(64), z.array(method).max(64)),
  routes: z.array(z.strictObject({
    method: z.enum(["GET", "POST", "PUT", "DELETE"]),
    path: z.string().max(200).regex(/^(\/(:?[A-Za-z0-9_-]+))+$/),
    summary: z.string().max(200),
    // A route that does not say is the most protected kind, whatever isolate it came from.
    access: z.enum(["read", "admin"]).default("admin"),
  })).max(64),
});

/** What a started plugin offers: everything of its `PluginHooks` but the functions. */
export type PluginSurface = Readonly<z.infer<typeof surface>>;

/** Reads a plugin's hooks. */
export function surfaceOf(hooks: PluginHooks): PluginSurface {
  return {
    hooks: optionalHooks.filter((name) => hooks[name] !== undefined),
    protocols: Object.keys(hooks.streams ?? {}),
    services: Object.fromEntries(
      Object.entries(hooks.services ?? {}).map(([name, methods]) => [name, Object.keys(methods)]),
    ),
    routes: (hooks.apiRoutes ?? []).map(({ method, path, summary, access = "admin" }) => ({
      method,
      path,
      summary,
      access,
    })),
  };
}

/**
 * Checks a surface that came from a plugin against the rules and its manifest.
 * @throws {PluginError} PLUGIN_START
 */
export function parseSurface(
  name: string,
  value: unknown,
  manifest: PluginManifest,
): PluginSurface {
  const result = surface.safeParse(value);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw refused(name, `${path.join(".")}: ${message}`);
  }
  const cores = result.data.protocols.find((one) => one === "tcp" || one.startsWith("core."));
  if (cores !== undefined) throw refused(name, `the protocol "${cores}" is core's own`);
  const carriers = result.data.protocols.find((one) => one.startsWith("tun."));
  if (carriers !== undefined && !manifest.needs?.includes("dataplane")) {
    throw refused(name, `the protocol "${carriers}" is the data plane's own`);
  }
  const declared = manifest.provides ?? [];
  const offered = Object.keys(result.data.services);
  for (const service of offered) {
    if (!declared.includes(service)) {
      throw refused(
        name,
        `it offers the service ${service}, which its manifest does not name in "provides"`,
      );
    }
  }
  for (const service of declared) {
    if (!offered.includes(service)) {
      throw refused(name, `its manifest says that it provides ${service}, but it does not`);
    }
  }
  return result.data;
}

function refused(name: string, reason: string): PluginError {
  return new PluginError("PLUGIN_START", `plugin ${name} cannot be used: ${reason}`, {
    plugin: name,
  });
}
