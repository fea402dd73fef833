import { isAbsolute, join } from "node:path";
import { PluginError } from "./errors.ts";
import type { Json, PluginPermissions } from "./types.ts";

export interface ExpandOptions {
  readonly name: string;
  /** The plugin's own directory, absolute. */
  readonly dataDir: string;
  readonly config: Json;
  /** Where the program's sources lie, absolute. */
  readonly programDir: string;
}

/** Permissions ready for Deno: absolute paths, no variables, every key named, so that nothing can be inherited. */
export interface WorkerPermissions {
  readonly net: boolean | string[];
  readonly read: false | string[];
  readonly write: false | string[];
  readonly env: false | string[];
  readonly sys: false | string[];
  readonly run: false | string[];
  readonly ffi: boolean | string[];
  readonly import: false;
}

/**
 * Replaces `$DATA` in paths and `$CONFIG.<key>` in `net`. `$CONFIG.listen=127.0.0.1:1080` gives a value for a key the
 * configuration leaves out. What the key holds decides: text is one entry, a list of texts several, `true` the whole network,
 * `false` or nothing none.
 * @throws {PluginError} PLUGIN_MANIFEST
 */
export function expandPermissions(
  permissions: PluginPermissions,
  options: ExpandOptions,
): WorkerPermissions {
  const paths = (values: readonly string[] | undefined) =>
    entries(values?.map((value) => expandPath(value, options)));
  return {
    net: expandNet(permissions.net, options),
    read: entries(
      permissions.read?.map((value) =>
        value === "$PROGRAM" ? options.programDir : expandPath(value, options)
      ),
    ),
    write: paths(permissions.write),
    env: entries(permissions.env),
    sys: entries(permissions.sys),
    run: entries(permissions.run),
    ffi: typeof permissions.ffi === "boolean" ? permissions.ffi : entries(permissions.ffi),
    import: false,
  };
}

/** An empty list would be read as "nothing named" by some versions; `false` is unmistakable. */
function entries(values: readonly string[] | undefined): false | string[] {
  return values === undefined || values.length === 0 ? false : [...values];
}

function expandPath(value: string, { name, dataDir }: ExpandOptions): string {
  if (value === "$DATA") return dataDir;
  if (value.startsWith("$DATA/")) return join(dataDir, value.slice("$DATA/".length));
  if (isAbsolute(value) && !value.includes("$")) return value;
  throw new PluginError(
    "PLUGIN_MANIFEST",
    `Plugin ${name}: the path "${value}" must start with $DATA or "/"`,
  );
}

function expandNet(
  net: PluginPermissions["net"],
  { name, config }: ExpandOptions,
): boolean | string[] {
  if (typeof net === "boolean") return net;
  const out: string[] = [];
  for (const entry of net ?? []) {
    const variable = /^\$CONFIG\.([A-Za-z][A-Za-z0-9_]{0,63})(?:=(.+))?$/.exec(entry);
    if (variable === null) {
      if (entry.includes("$")) {
        throw new PluginError(
          "PLUGIN_MANIFEST",
          `Plugin ${name}: "${entry}" in permissions.net is neither an address nor $CONFIG.<key>`,
        );
      }
      out.push(entry);
      continue;
    }
    const [, key = "", byDefault] = variable;
    const value = configValue(config, key) ?? byDefault;
    if (value === true) return true;
    if (value === undefined || value === null || value === false) continue;
    const values = typeof value === "string" ? [value] : value;
    if (!Array.isArray(values) || !values.every((item) => typeof item === "string")) {
      throw new PluginError(
        "PLUGIN_MANIFEST",
        `Plugin ${name}: its configuration "${key}" grants network access, so it must be an address, a list of addresses or true`,
      );
    }
    out.push(...values.map(withHost));
  }
  return entries(out);
}

function configValue(config: Json, key: string): Json | undefined {
  if (typeof config !== "object" || config === null || Array.isArray(config)) return undefined;
  return Object.hasOwn(config, key)
    ? (config as { [key: string]: Json | undefined })[key]
    : undefined;
}

/** `:1080` listens on every address; Deno wants that spelt out. */
function withHost(address: string): string {
  return address.startsWith(":") && !address.startsWith("::") ? `0.0.0.0${address}` : address;
}
