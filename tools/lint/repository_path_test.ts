import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { importedPath, isTestFile, repositoryPath } from "./repository_path.ts";

Deno.test("a file of the repository is named from its root, another one stays as it is", () => {
  assert.equal(
    repositoryPath(fileURLToPath(import.meta.url)),
    "tools/lint/repository_path_test.ts",
  );
  assert.equal(repositoryPath("/elsewhere/x.ts"), "/elsewhere/x.ts");
});

Deno.test("relative imports resolve against the importer, packages do not resolve", () => {
  assert.equal(importedPath("plugins/ca/mod.ts", "../../core/errors/mod.ts"), "core/errors/mod.ts");
  assert.equal(importedPath("plugins/ca/mod.ts", "zod"), undefined);
});

Deno.test("tests are told by their names or by their folder", () => {
  for (
    const path of [
      "a/compliance/x.ts",
      "a/x_suite.ts",
      "a/x_test.ts",
      "a/testing.ts",
      "a/x_testing.ts",
      "tests/lab/daemon.ts",
    ]
  ) {
    assert.equal(isTestFile(path), true, path);
  }
  for (const path of ["a/contest.ts", "a/latest.ts", "core/x.ts"]) {
    assert.equal(isTestFile(path), false, path);
  }
});
