import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { FfiError } from "./errors.ts";
import { Libc } from "./libc.ts";

Deno.test("what native code reads at an address is what was written at its offset", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 10_000);
  assert.equal(arena.size, 12_288);
  const at = arena.allocate(3000);
  crypto.getRandomValues(arena.bytes.subarray(at, at + 3000));
  for (const offset of [at, at + 1, at + 2, at + 4, at + 2999]) {
    const seen = Deno.UnsafePointer.create(arena.address(offset));
    assert.ok(seen !== null);
    assert.equal(new Deno.UnsafePointerView(seen).getUint8(), arena.bytes[offset]);
    assert.equal(arena.address(offset), arena.address(offset));
  }
});

Deno.test("an address written into a struct is the one that calls are given", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  for (const target of [0, 1, 4, 4095]) {
    arena.putAddress(8, target);
    assert.equal(arena.view.getBigUint64(8, true), arena.address(target));
  }
});

Deno.test("allocations are aligned, do not overlap, and end with the arena", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  const [a, b, c] = [arena.allocate(1), arena.allocate(100, 4), arena.allocate(8)];
  assert.deepEqual([a, b, c], [0, 4, 128]);
  assert.equal(arena.free, 4096 - 136);
  assert.throws(() => arena.allocate(arena.free + 1), /has no room for/);
  assert.throws(() => arena.allocate(-1), FfiError);
  assert.equal(arena.allocate(arena.free, 1), 136);
  assert.equal(arena.free, 0);
});

Deno.test("offsets outside are refused", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  for (const offset of [4096, -4, 4097, -1]) assert.throws(() => arena.address(offset), FfiError);
  arena.requireRange(4000, 96);
  for (const [at, length] of [[4000, 97], [-1, 2], [0, -1], [NaN, 1]] as const) {
    assert.throws(() => arena.requireRange(at, length), FfiError);
  }
});

Deno.test("a disposed arena's views are empty, they do not point to freed memory", () => {
  using libc = Libc.open();
  const arena = new Arena(libc, 4096);
  const { bytes, view } = arena;
  const part = bytes.subarray(10, 20);
  arena[Symbol.dispose]();
  arena[Symbol.dispose]();
  assert.deepEqual([bytes.length, part.length, part[0]], [0, 0, undefined]);
  assert.throws(() => view.getUint8(0), TypeError);
  for (const offset of [0, 1]) assert.throws(() => arena.address(offset), FfiError);
  assert.throws(() => arena.requireRange(0, 1), FfiError);
});

Deno.test("sizes that no arena can have are refused", () => {
  using libc = Libc.open();
  for (const size of [0, -1, 1.5, 2 ** 31]) assert.throws(() => new Arena(libc, size), FfiError);
});
