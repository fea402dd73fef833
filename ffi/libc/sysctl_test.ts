import assert from "node:assert/strict";
import { Lab, labTest } from "../../tests/lab/mod.ts";
import { inNamespace } from "../testing.ts";
import { Errno } from "./errno.ts";
import { FfiError } from "./errors.ts";
import { Libc } from "./libc.ts";
import { readSysctl, writeSysctl } from "./sysctl.ts";

const forward = "net/ipv4/ip_forward";

labTest("a setting is read, changed and restored in its own namespace only", {
  namespaces: true,
}, async () => {
  await using lab = await Lab.create();
  const namespace = await lab.node("a");
  using libc = Libc.open();
  const inside = <T>(act: () => T) => inNamespace(libc, namespace, act);
  const outside = readSysctl(libc, forward);
  const before = inside(() => readSysctl(libc, forward));
  const other = before === "1" ? "0" : "1";
  inside(() => writeSysctl(libc, forward, other));
  assert.equal((await lab.exec("a", "sysctl", "-n", "net.ipv4.ip_forward")).trim(), other);
  assert.equal(inside(() => readSysctl(libc, forward)), other);
  assert.equal(readSysctl(libc, forward), outside);
  inside(() => writeSysctl(libc, forward, before!));
  assert.equal(inside(() => readSysctl(libc, forward)), before);
});

Deno.test("a setting the kernel does not have is read as undefined, and cannot be changed", () => {
  using libc = Libc.open();
  assert.equal(readSysctl(libc, "net/ipv4/no_such_setting"), undefined);
  assert.throws(
    () => writeSysctl(libc, "net/ipv4/no_such_setting", "1"),
    (error) =>
      error instanceof FfiError && error.code === "FFI_SYSCALL" && error.errno === Errno.ENOENT,
  );
});

Deno.test("names that lead elsewhere are refused", () => {
  using libc = Libc.open();
  for (
    const name of ["", "/etc/passwd", "net/../../etc/passwd", "net/..", "net", "net/a b", "net//x"]
  ) {
    assert.throws(() => readSysctl(libc, name), /cannot be the name/, name);
  }
  assert.equal(readSysctl(libc, "net/ipv4/conf/no-such.100/rp_filter"), undefined);
});
