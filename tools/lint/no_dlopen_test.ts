import assert from "node:assert/strict";
import { lintSource } from "./testing.ts";

const refused = (path: string, source: string) =>
  lintSource(path, source).some((line) => line.startsWith("pulse/no-dlopen"));

Deno.test("dlopen outside ffi/ is refused, however it is spelled", () => {
  assert.equal(refused("core/node/main.ts", `Deno.dlopen("libc.so.6", {});`), true);
  assert.equal(refused("core/node/main.ts", `Deno["dlopen"]("libc.so.6", {});`), true);
  assert.equal(refused("plugins/socks/mod.ts", `const { dlopen } = Deno;`), true);
});

Deno.test("ffi/, tests and the self-probe may name dlopen", () => {
  for (const path of ["ffi/libc.ts", "tests/system/x_test.ts", "core/launch/self_probe.ts"]) {
    assert.equal(refused(path, `Deno.dlopen("libc.so.6", {});`), false);
  }
});
