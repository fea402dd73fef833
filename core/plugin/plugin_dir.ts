import { lstat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "./errors.ts";
import type { PluginManifest } from "./types.ts";

/**
 * The plugin's own directory, made 0700 when it may use one.
 * @returns its path; "" when the plugin declared no read permission
 * @throws {PluginError} PLUGIN_START when something else is in its place: a symlink would be followed out of it
 */
export async function preparePluginDir(
  dataDir: string,
  name: string,
  { permissions }: PluginManifest,
): Promise<string> {
  const path = join(dataDir, name);
  const reads = permissions.read?.some((entry) => entry !== "$PROGRAM") ?? false;
  if (!reads && (permissions.write?.length ?? 0) === 0) return "";
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode, isDirectory } = await describe(path);
  if (!isDirectory) {
    throw new PluginError(
      "PLUGIN_START",
      `${path} must be a directory of its own for plugin ${name}; move away what is there`,
      { plugin: name, path },
    );
  }
  if ((mode & 0o077) !== 0) await Deno.chmod(path, 0o700);
  return reads ? path : "";
}

async function describe(path: string): Promise<{ mode: number; isDirectory: boolean }> {
  const stat = await lstat(path);
  return { mode: stat.mode, isDirectory: stat.isDirectory() };
}
