import assert from "node:assert/strict";
import { Errno } from "./errno.ts";
import { FfiError } from "./errors.ts";
import { cString, Libc } from "./libc.ts";

Deno.test("a call that fails leaves its number in errno, the next one its own", () => {
  using libc = Libc.open();
  for (let round = 0; round < 1000; round++) {
    assert.equal(libc.calls.close(-1), -1);
    assert.equal(libc.errno, 9);
    assert.equal(libc.calls.open(cString("/nowhere/at/all"), 0), -1);
    assert.equal(libc.errno, Errno.ENOENT);
  }
});

Deno.test("check() passes a result on, and throws with the name of the call", () => {
  using libc = Libc.open();
  assert.equal(libc.check(7, "open", "open it"), 7);
  assert.throws(
    () => libc.check(libc.calls.open(cString("/nowhere"), 0), "open", "open /nowhere", "create it"),
    (error) =>
      error instanceof FfiError && error.code === "FFI_SYSCALL" &&
      error.message === "cannot open /nowhere: open failed with ENOENT (2); create it",
  );
});

Deno.test("socket options are set, read back, and refused with the number", () => {
  using libc = Libc.open();
  const fd = libc.check(libc.calls.socket(2, 2 | 0x80000, 0), "socket", "make a socket");
  try {
    assert.equal(libc.setOption(fd, 1, 15, 1), 0); // SO_REUSEPORT
    assert.equal(libc.getOption(fd, 1, 15), 1);
    assert.equal(libc.setOption(fd, 1, 9999, 1), -Errno.ENOPROTOOPT);
    assert.throws(
      () => libc.getOption(fd, 1, 9999),
      /getsockopt\(1, 9999\) failed with ENOPROTOOPT/,
    );
  } finally {
    libc.closeFile(fd);
  }
});

Deno.test("a capability that the process was started without is not there", async () => {
  const source = `import { Libc } from ${JSON.stringify(import.meta.resolve("./libc.ts"))};
    using libc = Libc.open(); console.log(libc.hasCapability(12), libc.hasCapability(40));`;
  const child = new Deno.Command("setpriv", {
    args: ["--bounding-set=-net_admin", "--inh-caps=-all", Deno.execPath(), "eval", source],
    stderr: "inherit",
  });
  const bare = new Deno.Command(Deno.execPath(), { args: ["eval", source], stderr: "inherit" });
  const text = async (command: Deno.Command) =>
    new TextDecoder().decode((await command.output()).stdout).trim();
  if (Deno.uid() === 0) assert.match(await text(child), /^false /);
  else assert.match(await text(bare), /^false false/);
});

Deno.test("without the ffi permission the error says what is missing", async () => {
  const source = `import { Libc } from ${JSON.stringify(import.meta.resolve("./libc.ts"))};
    try { Libc.open(); } catch (error) { console.log(error.code, error.message); }`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, source);
    for (const flag of ["--deny-ffi", "--allow-ffi=/nowhere/libc.so"]) {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--allow-import", "--allow-read", flag, file],
        stderr: "inherit",
      }).output();
      assert.match(new TextDecoder().decode(stdout), /^FFI_PERMISSION .*--allow-ffi\n$/);
    }
  } finally {
    await Deno.remove(file);
  }
});
