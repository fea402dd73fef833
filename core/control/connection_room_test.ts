import assert from "node:assert/strict";
import { ConnectionRoom } from "./connection_room.ts";

/** A room, and whom it has closed. */
function roomFor(most: number) {
  const room = new ConnectionRoom(most);
  const closed: string[] = [];
  return { room, closed, enter: (key: string) => room.enter(key, () => closed.push(key)) };
}

Deno.test("a new connection takes the place of the oldest that has shown no key", () => {
  const { room, closed, enter } = roomFor(3);
  for (const key of ["a", "b", "c"]) assert.ok(enter(key));
  room.prove("a");
  assert.ok(enter("d"));
  assert.ok(enter("e"));
  assert.deepEqual([closed, room.size], [["b", "c"], 3]);
});

Deno.test("where everybody has shown a key there is no place for another one, until somebody leaves", () => {
  const { room, closed, enter } = roomFor(2);
  for (const key of ["a", "b"]) {
    enter(key);
    room.prove(key);
  }
  assert.ok(!enter("c"));
  room.leave("a");
  assert.ok(enter("c"));
  assert.deepEqual(closed, []);
});

Deno.test("who has left holds no place, and a key that is shown late gives none back", () => {
  const { room, closed, enter } = roomFor(1);
  enter("a");
  enter("b");
  room.prove("a");
  room.leave("a");
  assert.deepEqual([closed, room.size], [["a"], 1]);
  room.leave("b");
  assert.equal(room.size, 0);
});
