import { posix } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The path of a linted file as seen from the repository's root; unchanged when it lies elsewhere. */
export function repositoryPath(filename: string): string {
  return filename.startsWith(root) ? filename.slice(root.length) : filename;
}

/** What a relative import specifier points at, seen from the repository's root; undefined for packages. */
export function importedPath(importer: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(importer), specifier);
}

/** Tests and what only tests import: they may do what the product may not. */
export function isTestFile(path: string): boolean {
  return path.startsWith("tests/") || path.includes("/compliance/") ||
    /(^|\/|_)(test|testing|suite)\.ts$/.test(path);
}
