import assert from "node:assert/strict";
import { describeCycle, findCycles, folderGraph, importsOf } from "./import_graph.ts";

Deno.test("every kind of import is seen, and text that only mentions one is not", () => {
  const source = `
    import a from "./a.ts";
    import type { B } from './b.ts';
    import {
      c,
    } from "./c.ts";
    export * from "./d.ts";
    export { e } from "./e.ts";
    import "./f.ts";
    const g = await import("./g.ts");
    export const text = "x from y";
    const from = "./no.ts";
  `;
  assert.deepEqual(importsOf(source), ["a", "b", "c", "d", "e", "f", "g"].map((x) => `./${x}.ts`));
});

Deno.test("a cycle between folders is found once and named with its files", () => {
  const graph = folderGraph(
    new Map([
      ["core/a/mod.ts", `import "../b/mod.ts";`],
      ["core/b/mod.ts", `export * from "../c/mod.ts";`],
      ["core/c/deep/x.ts", `import type { A } from "../../a/types.ts";`],
      ["cli/main.ts", `import "../core/a/mod.ts";`],
    ]),
  );
  const cycles = findCycles(graph);
  assert.deepEqual(cycles, [["core/a", "core/b", "core/c", "core/a"]]);
  assert.match(
    describeCycle(cycles[0] ?? [], graph),
    /core\/c -> core\/a \(core\/c\/deep\/x\.ts\)/,
  );
});

Deno.test("tests may close a circle, files of one folder may import each other", () => {
  const graph = folderGraph(
    new Map([
      ["core/a/mod.ts", `import "../b/mod.ts"; import "./x.ts";`],
      ["core/a/x.ts", `import "./mod.ts";`],
      ["core/b/mod_test.ts", `import "../a/mod.ts";`],
      ["core/b/mod.ts", `import "zod";`],
    ]),
  );
  assert.deepEqual(findCycles(graph), []);
});
