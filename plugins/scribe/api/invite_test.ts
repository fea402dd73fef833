import assert from "node:assert/strict";
import { joinDoors } from "./invite.ts";

const node = (id: string, linked: boolean, ...addresses: string[]) => ({ id, linked, addresses });

Deno.test("newcomers are sent to this node first, then to the CA, to linked nodes, to the others", () => {
  const nodes = [
    node("far", false, "far:1"),
    node("near", true, "near:1", "near:2"),
    node("ca", false, "ca:1"),
  ];
  assert.deepEqual(joinDoors(["own:1"], "ca", nodes), [
    "own:1",
    "ca:1",
    "near:1",
    "near:2",
    "far:1",
  ]);
});

Deno.test("a code names no address twice, and no more than it has room for", () => {
  const nodes = Array.from({ length: 20 }, (_, n) => node(`n${n}`, true, "same:1", `n${n}:1`));
  const doors = joinDoors([], undefined, nodes);
  assert.deepEqual(doors.slice(0, 3), ["same:1", "n0:1", "n1:1"]);
  assert.equal(doors.length, 8);
});
