import { fileURLToPath } from "node:url";
import plugin from "./plugin.ts";

/** Lints `source` as if it were the file `path` of this repository; gives `rule: message` lines. Works in tests only. */
export function lintSource(path: string, source: string): string[] {
  const filename = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  return Deno.lint.runPlugin(plugin, filename, source).map(({ id, message }) =>
    `${id}: ${message}`
  );
}
