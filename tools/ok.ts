/**
 * `deno task ok`: the gate. Format, lint, types (with the lock file frozen), import cycles, documentation of public faces,
 * tests. Every step runs, whatever the one before said; exit code 0 means that all of them were fine.
 * @module
 */
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { docFaults } from "./doc_lint.ts";
import { describeCycle, findCycles, folderGraph } from "./import_graph.ts";

const root = join(import.meta.dirname!, "..");

interface Step {
  readonly name: string;
  /** Whether it was fine. What was wrong is printed by the step. */
  run(): Promise<boolean>;
}

function deno(...args: string[]): () => Promise<boolean> {
  return async () => {
    const status = await new Deno.Command(Deno.execPath(), { args, cwd: root }).spawn().status;
    return status.success;
  };
}

const sourceFolders = ["core", "plugins", "ffi", "cli"];

async function noImportCycles(): Promise<boolean> {
  const files = new Map<string, string>();
  for (const path of globSync(sourceFolders.map((folder) => `${folder}/**/*.ts`), { cwd: root })) {
    files.set(path, await Deno.readTextFile(join(root, path)));
  }
  const graph = folderGraph(files);
  const cycles = findCycles(graph);
  for (const cycle of cycles) console.error(`import cycle: ${describeCycle(cycle, graph)}`);
  return cycles.length === 0;
}

async function documentedFaces(): Promise<boolean> {
  const faces = globSync(["core/*/mod.ts", "ffi/mod.ts"], { cwd: root }).sort();
  const faults = await docFaults(faces, root);
  for (const { where, message, line } of faults) console.error(`${where}: ${message}\n    ${line}`);
  return faults.length === 0;
}

const steps: readonly Step[] = [
  { name: "format", run: deno("fmt", "--check") },
  { name: "lint", run: deno("lint") },
  { name: "types, lock file frozen", run: deno("check", "--quiet", "--frozen") },
  { name: "import cycles", run: noImportCycles },
  { name: "documentation", run: documentedFaces },
  { name: "tests", run: deno("run", "-A", "tools/run_tests.ts", ...Deno.args) },
];

async function main(): Promise<number> {
  if (!existsSync(join(root, "deno.lock"))) {
    console.error("deno.lock is missing: it belongs into the repository");
    return 1;
  }
  const results: string[] = [];
  let ok = true;
  for (const step of steps) {
    console.log(`\n== ${step.name}`);
    const start = performance.now();
    const fine = await step.run();
    ok &&= fine;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    results.push(`${fine ? "ok    " : "FAILED"}  ${step.name} (${seconds} s)`);
  }
  console.log(`\n${results.join("\n")}`);
  return ok ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
