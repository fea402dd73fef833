import { isAbsolute, join } from "node:path";
import { PulseError } from "../errors/mod.ts";
import type { PluginManifest } from "../plugin/types.ts";

/** What decides what the daemon's process may do. */
export interface FlagOptions {
  /** Absolute. */
  readonly dataDir: string;
  /** Where the program's sources lie, absolute; plugin Workers load their modules from there. */
  readonly projectDir: string;
  /** `host:port` of the listeners. */
  readonly listen: readonly string[];
  /** `host:port` the node was told to dial. */
  readonly peers: readonly string[];
  readonly relayOnly: boolean;
  /** Of the enabled plugins. */
  readonly plugins: readonly PluginManifest[];
}

/** Unix sockets the daemon serves, below the data directory. */
const sockets = ["pulse.sock", "tunnel.sock"];

/** What the WebSocket library looks up when it is loaded; nothing else reads the environment. */
const environment = ["WS_NO_BUFFER_UTIL", "WS_NO_UTF_8_VALIDATE"];

/**
 * The Deno flags of the daemon's process: no more than this configuration needs. Every permission is named, given or denied, so
 * that neither a prompt nor a default can widen it.
 *
 * A relay-only node reaches its own listeners, the peers it was told of, its data directory, and nothing else: no FFI, no
 * processes, no system information. Any other node may use the network freely, because its peers and the targets of its tunnels
 * are not known beforehand.
 * @throws {PulseError} LAUNCH_PATH
 */
export function computeDenoFlags(options: FlagOptions): string[] {
  const { dataDir, projectDir, relayOnly, plugins } = options;
  for (const path of [dataDir, projectDir]) {
    if (!isAbsolute(path) || path.includes(",")) {
      throw new PulseError("LAUNCH_PATH", `"${path}" must be an absolute path without a comma`, {
        path,
      });
    }
  }
  const wantsFfi = plugins.some((plugin) =>
    plugin.permissions.ffi !== undefined && plugin.permissions.ffi !== false
  );
  const runs = plugins.flatMap((plugin) => plugin.permissions.run ?? []);
  const reads = plugins.flatMap((plugin) => (plugin.permissions.read ?? []).filter(isAbsolute));
  const writes = plugins.flatMap((plugin) => (plugin.permissions.write ?? []).filter(isAbsolute));
  const env = [...environment, ...plugins.flatMap((plugin) => plugin.permissions.env ?? [])];
  const sys = relayOnly
    ? []
    : ["networkInterfaces", ...plugins.flatMap((plugin) => plugin.permissions.sys ?? [])];
  return [
    "--no-prompt",
    "--unstable-net",
    "--unstable-worker-options",
    // V8's young generation at 1 MB: what a relay passes on lies outside of it. 7 MB less resident, the same throughput.
    ...(relayOnly ? ["--v8-flags=--max-semi-space-size=1"] : []),
    list("read", [
      dataDir,
      // A Worker's modules load with the permission of the process. The daemon's own load before there are any.
      ...(plugins.length > 0 ? [projectDir] : []),
      ...(relayOnly ? [] : reads),
    ]),
    list("write", relayOnly ? [dataDir] : [dataDir, ...writes]),
    relayOnly ? list("net", relayAddresses(options)) : "--allow-net",
    list("env", env),
    list("sys", sys),
    wantsFfi && !relayOnly ? "--allow-ffi" : "--deny-ffi",
    relayOnly ? "--deny-run" : list("run", runs),
    "--deny-import",
  ];
}

function list(permission: string, values: readonly string[]): string {
  const unique = [...new Set(values)];
  return unique.length === 0 ? `--deny-${permission}` : `--allow-${permission}=${unique.join(",")}`;
}

function relayAddresses({ dataDir, listen, peers }: FlagOptions): string[] {
  return [
    ...listen.map((address) => address.replace(/:0$/, "")),
    ...peers,
    ...sockets.map((name) => `unix:${join(dataDir, name)}`),
  ];
}
