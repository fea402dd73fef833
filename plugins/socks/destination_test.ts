import assert from "node:assert/strict";
import { destinationOf } from "./destination.ts";

const read = (host: string) => destinationOf({ host, port: 80 });

Deno.test("the last label before .pulse is the node, what stands before it a host at its side", () => {
  const mesh = (node: string, target: string) => ({ kind: "mesh", node, target });
  assert.deepEqual(read("abcd.pulse"), mesh("abcd", "localhost:80"));
  assert.deepEqual(read("ABCD.Pulse."), mesh("abcd", "localhost:80"));
  assert.deepEqual(read("db.lan.abcd.pulse"), mesh("abcd", "db.lan:80"));
  assert.deepEqual(read("10.0.0.5.abcd.pulse"), mesh("abcd", "10.0.0.5:80"));
  assert.deepEqual(read("fd00::5.abcd.pulse"), mesh("abcd", "[fd00::5]:80"));
});

Deno.test("other names and addresses are told apart", () => {
  for (
    const host of ["example.com", "pulse", ".pulse", "pulse.example.com", "abcd.pulse.example"]
  ) {
    assert.deepEqual(read(host), { kind: "name" }, host);
  }
  for (const host of ["10.0.0.1", "::1", "fd41:b589:ea15:0:c3d2:4759:2994:413b"]) {
    assert.deepEqual(read(host), { kind: "address" }, host);
  }
});
