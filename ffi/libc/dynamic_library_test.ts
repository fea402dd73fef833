import assert from "node:assert/strict";
import { architecture, libraryPaths, openLibrary } from "./dynamic_library.ts";
import { FfiError } from "./errors.ts";

const libc = { glibc: ["libc.so.6"], musl: ["libc.musl-aarch64.so.1"] };

Deno.test("a library is looked for at absolute paths, glibc's before musl's", () => {
  const paths = libraryPaths(libc, "aarch64");
  assert.equal(paths[0], "/lib/aarch64-linux-gnu/libc.so.6");
  assert.ok(paths.every((path) => path.startsWith("/")));
  assert.ok(paths.indexOf("/lib64/libc.so.6") < paths.indexOf("/lib/libc.musl-aarch64.so.1"));
});

Deno.test("a better name is tried everywhere before a worse one", () => {
  const paths = libraryPaths({ glibc: ["libcrypto.so.3", "libcrypto.so.1.1"], musl: [] }, "x86_64");
  const names = paths.map((path) => path.slice(path.lastIndexOf("/") + 1));
  assert.deepEqual(names, [...names].sort().reverse());
});

Deno.test("the first file that is there is opened", () => {
  const arch = architecture();
  const paths = libraryPaths({ glibc: ["libc.so.6"], musl: [`libc.musl-${arch}.so.1`] }, arch);
  const library = openLibrary("libc", ["/nowhere/libc.so.6", ...paths], {
    getpid: { parameters: [], result: "i32" },
  }, "install it");
  try {
    assert.equal(library.symbols.getpid(), Deno.pid);
  } finally {
    library.close();
  }
});

Deno.test("a library that is nowhere is told by name, with what to do", () => {
  assert.throws(
    () => openLibrary("libnothing", ["/nowhere/a.so", "/nowhere/b.so"], {}, "install nothing"),
    (error) =>
      error instanceof FfiError && error.code === "FFI_LIBRARY" &&
      error.message === "libnothing is not installed: install nothing",
  );
});

Deno.test("a library without a function that is needed is told apart from a missing one", () => {
  const arch = architecture();
  const paths = libraryPaths({ glibc: ["libc.so.6"], musl: [`libc.musl-${arch}.so.1`] }, arch);
  assert.throws(
    () =>
      openLibrary("libc", paths, { no_such_function: { parameters: [], result: "i32" } }, "update"),
    (error) =>
      error instanceof FfiError && error.message === "libc does not have what pulse needs: update",
  );
});
