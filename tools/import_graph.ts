import { importedPath, isTestFile } from "./lint/repository_path.ts";

/** Folder -> folder it imports -> the files that do so. */
export type FolderGraph = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

const importLike =
  /^\s*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*[,)]/gm;

/** The specifiers a module imports or re-exports, types included. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(importLike)].map(([, from, bare, dynamic]) =>
    from ?? bare ?? dynamic ?? ""
  );
}

/**
 * Which folder below `core/` (and which top-level folder elsewhere) imports which.
 *
 * @param files path as seen from the repository's root -> source; tests are left out
 */
export function folderGraph(files: ReadonlyMap<string, string>): FolderGraph {
  const graph = new Map<string, Map<string, string[]>>();
  for (const [path, source] of files) {
    if (isTestFile(path)) continue;
    const from = folderOf(path);
    for (const specifier of importsOf(source)) {
      const imported = importedPath(path, specifier);
      if (imported === undefined || isTestFile(imported)) continue;
      const to = folderOf(imported);
      if (to === from) continue;
      const edges = graph.get(from) ?? new Map<string, string[]>();
      graph.set(from, edges.set(to, [...edges.get(to) ?? [], path]));
    }
  }
  return graph;
}

function folderOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  return top === "core" || top === "plugins" ? `${top}/${second}` : top;
}

/** Cycles between folders, each once, as `a -> b -> a`. Empty when there is none. */
export function findCycles(graph: FolderGraph): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  const trail: string[] = [];
  const visit = (folder: string) => {
    const at = trail.indexOf(folder);
    if (at >= 0) {
      cycles.push([...trail.slice(at), folder]);
      return;
    }
    if (finished.has(folder)) return;
    trail.push(folder);
    for (const next of graph.get(folder)?.keys() ?? []) visit(next);
    trail.pop();
    finished.add(folder);
  };
  for (const folder of [...graph.keys()].sort()) visit(folder);
  return cycles;
}

/** A cycle in words, with one file for each step. */
export function describeCycle(cycle: readonly string[], graph: FolderGraph): string {
  const steps = cycle.slice(1).map((to, index) => {
    const from = cycle[index] ?? "";
    return `  ${from} -> ${to} (${graph.get(from)?.get(to)?.[0]})`;
  });
  return [cycle.join(" -> "), ...steps].join("\n");
}
