import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { cString, Libc } from "./libc.ts";
import { FfiError } from "./errors.ts";
import { IoVector } from "./io_vector.ts";

Deno.test("one call gathers and scatters the pieces in order", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 8192);
  const path = Deno.makeTempFileSync();
  const fd = libc.check(libc.calls.open(cString(path), 2), "open", "open a file");
  try {
    const vector = new IoVector(arena, 3);
    const at = arena.allocate(1000);
    arena.bytes.set(new TextEncoder().encode("mesh of nodes"), at);
    vector.set(0, at + 8, 5);
    vector.set(1, at + 4, 4);
    vector.set(2, at, 4);
    assert.equal(libc.calls.writev(fd, vector.address, 3), 13);
    assert.equal(Deno.readTextFileSync(path), "nodes of mesh");
  } finally {
    libc.closeFile(fd);
    Deno.removeSync(path);
  }
});

Deno.test("a piece that is not inside the arena, or one too many, is refused", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  const vector = new IoVector(arena, 2);
  for (const [index, at, length] of [[0, 4090, 7], [0, -1, 4], [2, 0, 1], [-1, 0, 1]] as const) {
    assert.throws(() => vector.set(index, at, length), FfiError);
  }
  assert.throws(() => vector.requireCount(3), FfiError);
  assert.throws(() => new IoVector(arena, 0), FfiError);
  assert.throws(() => new IoVector(arena, 1025), FfiError);
});
