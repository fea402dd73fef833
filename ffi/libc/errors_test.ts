import assert from "node:assert/strict";
import { Errno } from "./errno.ts";
import { FfiError, syscallError } from "./errors.ts";

Deno.test("a failed call tells its name, its error by name and number, and what to do", () => {
  const error = syscallError("ioctl(TUNSETIFF)", Errno.EPERM, "make the interface pulse0");
  assert.equal(
    error.message,
    "cannot make the interface pulse0: ioctl(TUNSETIFF) failed with EPERM (1); run as root or with CAP_NET_ADMIN",
  );
  assert.equal(error.code, "FFI_SYSCALL");
  assert.deepEqual(error.fields, { syscall: "ioctl(TUNSETIFF)", errno: 1, errnoName: "EPERM" });
  assert.deepEqual([error.syscall, error.errno], ["ioctl(TUNSETIFF)", 1]);
});

Deno.test("the caller's advice goes before the general one, and an unknown number has none", () => {
  assert.match(
    syscallError("bind", Errno.EACCES, "bind", "use a port above 1023").message,
    /1023$/,
  );
  assert.match(syscallError("read", Errno.EIO, "read").message, /EIO \(5\)$/);
});

Deno.test("an error without a call carries none", () => {
  const error = new FfiError("FFI_ARGUMENT", "no", { fields: { size: 1 } });
  assert.deepEqual(error.fields, { size: 1 });
  assert.deepEqual([error.syscall, error.errno], ["", 0]);
});
