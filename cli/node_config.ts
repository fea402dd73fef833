import { readConfigFile } from "../core/config/config_file.ts";
import type { DaemonConfig } from "../core/config/daemon_config.ts";
import { resolveConfig } from "../core/config/resolve_config.ts";
import type { Settings } from "../core/config/settings.ts";
import type { NodeOptions } from "./command_line/command.ts";
import type { CliIo } from "./io.ts";
import { readTokenFile } from "./token_file.ts";

/**
 * The configuration of a node that is about to start: defaults, then the file, then the flags.
 * @throws {ConfigError} @throws {UsageError}
 */
export async function readNodeConfig(
  options: NodeOptions,
  io: CliIo,
  foreground: boolean,
): Promise<DaemonConfig> {
  const { config, tokenFile, dataDir, json } = options;
  const token = await readTokenFile(tokenFile, options.settings.token);
  const flags: Settings = {
    ...options.settings,
    ...(token === undefined ? {} : { token }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(json && foreground ? { logFormat: "json" } : {}),
  };
  return resolveConfig({
    flags,
    ...(config === undefined
      ? {}
      : { file: { path: config, settings: await readConfigFile(config) } }),
    home: io.env("HOME"),
    cwd: io.cwd,
    foreground,
  });
}
