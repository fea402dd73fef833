import assert from "node:assert/strict";
import { Refusals } from "./refusals.ts";

function refusals(own: string[]) {
  const told: [string[], string[]][] = [];
  let listed: string[] = [];
  const all = new Refusals({
    self: "me",
    listed: () => listed.map((node) => ({ node })),
    changed: (revoked, fresh) => {
      told.push([[...revoked], [...fresh]]);
      return Promise.resolve();
    },
  }, own);
  return { all, told, list: (...ids: string[]) => listed = ids };
}

Deno.test("whom the CA or the network config revoked is refused, and cut off once", async () => {
  const { all, told, list } = refusals(["a"]);
  await all.apply();
  list("b");
  await all.apply();
  await all.add(["c", "a"]);
  assert.deepEqual(told, [
    [["a"], ["a"]],
    [["a", "b"], ["b"]],
    [["a", "c", "b"], ["c"]],
  ]);
});

Deno.test("whom the config takes back is let in again and, revoked anew, cut off anew", async () => {
  const { all, told, list } = refusals([]);
  for (const ids of [["b"], [], ["b"]]) {
    list(...ids);
    await all.apply();
  }
  assert.deepEqual(told, [[["b"], ["b"]], [[], []], [["b"], ["b"]]]);
});

Deno.test("a node never refuses itself", async () => {
  const { all, told, list } = refusals(["me"]);
  list("me");
  await all.apply();
  assert.deepEqual(told, [[[], []]]);
});
