import assert from "node:assert/strict";
import { constants } from "node:os";
import { Errno, errnoName } from "./errno.ts";

Deno.test("error numbers have the names that the system knows them by", () => {
  // Two names for one number: the system's list holds both.
  const twins = new Set(["EWOULDBLOCK", "ENOTSUP"]);
  for (const [name, number] of Object.entries(constants.errno)) {
    if (!twins.has(name)) assert.equal(errnoName(number), name);
  }
  for (const [name, number] of Object.entries(Errno)) assert.equal(errnoName(number), name);
});

Deno.test("a number without a name is told as a number", () => {
  for (const errno of [0, 41, 58, 9999, -1]) assert.equal(errnoName(errno), `errno ${errno}`);
});
