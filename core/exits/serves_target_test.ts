import assert from "node:assert/strict";
import { servesTarget } from "./serves_target.ts";

const mesh = ["10.100.0.0/16"];

Deno.test("an exit leads to what lies in its ranges, in whatever spelling", () => {
  const serves = (address: string) => servesTarget(address, ["10.0.0.0/8", "fd00::/8"], mesh);
  for (const address of ["10.7.0.1", "::ffff:10.7.0.1", "fd00::1"]) assert.ok(serves(address));
  for (const address of ["11.0.0.1", "2001:db8::1", "db.example", ""]) assert.ok(!serves(address));
});

Deno.test("an exit to everywhere does not lead into the mesh, to itself, or to a link's own addresses", () => {
  const serves = (address: string) => servesTarget(address, ["0.0.0.0/0", "::/0"], mesh);
  assert.ok(serves("192.0.2.1"));
  for (
    const address of [
      ...["10.100.0.1", "127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1"],
      ...["224.0.0.1", "ff02::1", "0.0.0.0", "::"],
    ]
  ) assert.ok(!serves(address), address);
});
