import { z } from "zod";
import { PluginError } from "./errors.ts";
import type { PluginManifest } from "./types.ts";

const text = z.string().min(1).max(500);
const list = z.array(text).max(64);

/** No `..`: a plugin's files stay where the manifest says. */
const path = text.refine(
  (value) => /^(\$DATA(\/|$)|\/)/.test(value) && !value.split("/").includes(".."),
  'must start with $DATA or "/" and must not contain ".."',
);

/** What may be read besides: the program itself, by a plugin that starts a Worker of its own. */
const readable = z.union([z.literal("$PROGRAM"), path]);

const service = z.string().regex(
  /^[a-z][a-z0-9.-]{0,63}$/,
  "must be lower-case letters, digits, . and -",
);

const permissions = z.strictObject({
  net: z.union([z.boolean(), list]).optional(),
  read: z.array(readable).max(64).optional(),
  write: z.array(path).max(64).optional(),
  env: list.optional(),
  sys: list.optional(),
  run: list.optional(),
  ffi: z.union([z.boolean(), list]).optional(),
});

const manifest = z.strictObject({
  module: text,
  permissions,
  needs: z.array(service).max(32).optional(),
  provides: z.array(service).max(32).optional(),
  isolate: z.enum(["worker", "inline"]).optional(),
});

const table = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "must be a short lower-case name"),
  manifest,
);

/**
 * Reads `pulse.plugins` of a parsed `deno.json`. A key nobody knows is an error: a misspelt permission must not be lost.
 * @throws {PluginError} PLUGIN_MANIFEST with the path of everything that is wrong
 */
export function parseManifests(value: unknown): Readonly<Record<string, PluginManifest>> {
  const result = table.safeParse(value);
  if (result.success) return result.data as Record<string, PluginManifest>;
  const faults = result.error.issues.map((issue) => {
    const where = ["pulse", "plugins", ...issue.path].map(String).join(".");
    return `${where}: ${issue.message}`;
  });
  throw new PluginError(
    "PLUGIN_MANIFEST",
    `deno.json: ${faults.slice(0, 10).join("; ")}`,
    { faults: faults.slice(0, 10) },
  );
}
