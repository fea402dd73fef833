import assert from "node:assert/strict";
import { PulseError } from "../errors/mod.ts";
import { findNode } from "./mesh_view.ts";

const a = "aaaa1111".padEnd(32, "0");
const b = "aaaa2222".padEnd(32, "0");

Deno.test("a node is found by id, by unique prefix, and with .pulse behind it in any case", () => {
  for (const text of [a, "aaaa1", "AAAA1111.pulse", "aaaa11.PULSE."]) {
    assert.equal(findNode(text, [a, b]), a);
  }
});

Deno.test("a node is found by its name, with .pulse behind it too", () => {
  const names = new Map([["db-1", b]]);
  for (const text of ["db-1", "DB-1.pulse", "db-1.pulse."]) {
    assert.equal(findNode(text, [a], names), b);
  }
  assert.equal(findNode("aaaa1", [a], names), a);
});

Deno.test("an ambiguous prefix, an unknown one and nonsense are told apart", () => {
  const code = (text: string) => {
    try {
      findNode(text, [a, b]);
    } catch (error) {
      return error instanceof PulseError ? error.code : String(error);
    }
    return "found";
  };
  assert.equal(code("aaaa"), "NODE_AMBIGUOUS");
  assert.equal(code("bbbb"), "NODE_UNKNOWN");
  assert.equal(code("aaa"), "NODE_UNKNOWN");
  assert.equal(code("example.com"), "NODE_UNKNOWN");
});
