import project from "../../deno.json" with { type: "json" };
import type { DaemonConfig } from "../config/mod.ts";
import { parseManifests } from "../plugin/mod.ts";
import type { Json, PluginManifest } from "../plugin/types.ts";

/** The plugins this configuration switches on, as `deno.json` declares them, with what each is told. */
export function enabledPlugins(config: DaemonConfig): {
  readonly manifests: Readonly<Record<string, PluginManifest>>;
  readonly configs: Readonly<Record<string, Json>>;
} {
  const declared = parseManifests(project.pulse.plugins);
  const configs: Record<string, Json> = {};
  if (config.ca) {
    configs.ca = {
      network: config.network,
      meshCidr: config.meshCidr,
      ...(config.caDays !== null && { days: config.caDays }),
      ...(config.caToken !== null && { token: config.caToken }),
    };
  }
  if (config.scribe) configs.scribe = {};
  if (config.socks !== null) configs.socks = { listen: config.socks };
  const manifests: Record<string, PluginManifest> = {};
  for (const name of Object.keys(configs)) {
    const manifest = declared[name];
    if (manifest !== undefined) manifests[name] = manifest;
  }
  return { manifests, configs };
}
