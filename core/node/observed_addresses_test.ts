import assert from "node:assert/strict";
import { ObservedAddresses } from "./observed_addresses.ts";

function addresses() {
  const changes: string[][] = [];
  const observed: ObservedAddresses = new ObservedAddresses({
    link: () => undefined,
    send: () => assert.fail("nobody is linked"),
    changed: () => changes.push([...observed.seen.values()]),
  });
  const told = (peer: string, text: string) => observed.told(peer, new TextEncoder().encode(text));
  return { observed, told, changes };
}

Deno.test("what a neighbour says is taken once, replaced by its next word, and forgotten with it", () => {
  const { observed, told, changes } = addresses();
  told("a", "192.0.2.1:4000");
  told("a", "192.0.2.1:4000");
  told("b", "[2001:db8::1]:5");
  told("a", "192.0.2.1:4001");
  assert.deepEqual(changes.map(({ length }) => length), [1, 2, 2]);
  observed.forget("b");
  assert.deepEqual([...observed.seen], [["a", "192.0.2.1:4001"]]);
});

Deno.test("what is no address of a node, or too long for one, changes nothing", () => {
  const { told, changes } = addresses();
  for (const text of ["", "example.org:80", "0.0.0.0:1", "192.0.2.1:0", `[${"0".repeat(80)}]:1`]) {
    told("a", text);
  }
  assert.deepEqual(changes, []);
});

Deno.test("a peer without a link is told nothing", () => {
  addresses().observed.tell("a");
});
