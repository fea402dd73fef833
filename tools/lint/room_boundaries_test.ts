import assert from "node:assert/strict";
import { lintSource } from "./testing.ts";

const refused = (path: string, source: string) =>
  lintSource(path, source).some((line) => line.startsWith("pulse/room-boundaries"));

Deno.test("a plugin may not import another plugin, by any kind of import", () => {
  const path = "plugins/socks/mod.ts";
  assert.equal(refused(path, `import { x } from "../ca/mod.ts";`), true);
  assert.equal(refused(path, `import type { x } from "../ca/mod.ts";`), true);
  assert.equal(refused(path, `export * from "../ca/mod.ts";`), true);
  assert.equal(refused(path, `export { x } from "../ca/mod.ts";`), true);
  assert.equal(refused(path, `const x = await import("../ca/mod.ts");`), true);
});

Deno.test("a plugin may import its own files, core and packages", () => {
  const path = "plugins/socks/mod.ts";
  for (const from of ["./server.ts", "../../core/errors/mod.ts", "zod", "node:net"]) {
    assert.equal(refused(path, `import { x } from "${from}";`), false);
  }
});

Deno.test("core imports neither plugins nor the CLI", () => {
  assert.equal(refused("core/node/main.ts", `import { x } from "../../plugins/ca/mod.ts";`), true);
  assert.equal(refused("core/node/main.ts", `import { x } from "../../cli/main.ts";`), true);
  assert.equal(refused("core/node/main.ts", `import { x } from "../router/mod.ts";`), false);
});

Deno.test("what is shipped does not import tests or tools, ffi imports nothing above it", () => {
  assert.equal(refused("cli/main.ts", `import { x } from "../tests/lab/daemon.ts";`), true);
  assert.equal(refused("ffi/libc.ts", `import { x } from "../core/router/mod.ts";`), true);
  assert.equal(refused("ffi/libc.ts", `import { x } from "../core/errors/mod.ts";`), false);
  assert.equal(refused("ffi/libc.ts", `import { x } from "../core/address/mod.ts";`), false);
});

Deno.test("tests may import across rooms", () => {
  const source = `import { x } from "../../plugins/ca/mod.ts";`;
  assert.equal(refused("core/plugin/host_test.ts", source), false);
  assert.equal(refused("tests/system/x_test.ts", source), false);
});
