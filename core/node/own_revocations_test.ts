import assert from "node:assert/strict";
import type { Json } from "../plugin/types.ts";
import { OwnRevocations } from "./own_revocations.ts";

const [self, other, third] = ["0", "1", "2"].map((digit) => digit.repeat(32)) as [
  string,
  string,
  string,
];

/** Follows once what a CA answers; gives what was applied and logged. */
async function followed(ask: (() => Promise<Json>) | undefined) {
  const applied: (readonly string[])[] = [];
  const lines: string[] = [];
  await using revocations = new OwnRevocations({
    self,
    ask,
    apply: (ids) => {
      applied.push(ids);
      return Promise.resolve();
    },
    log: (level, message) => lines.push(`${level} ${message}`),
  });
  revocations.follow();
  await revocations[Symbol.asyncDispose]();
  return { applied, lines };
}

Deno.test("news of a revocation applies what the CA says, not who brought them", async () => {
  const { applied, lines } = await followed(() => Promise.resolve([other, third]));
  assert.deepEqual(applied, [[other, third]]);
  assert.deepEqual(lines, []);
});

Deno.test("a node never refuses itself, and without a CA of its own nobody", async () => {
  assert.deepEqual((await followed(() => Promise.resolve([self, other]))).applied, [[other]]);
  assert.deepEqual((await followed(undefined)).applied, [[]]);
});

Deno.test("an answer that is no list of nodes, or none at all, is logged and changes nothing", async () => {
  for (const ask of [() => Promise.resolve(["me"]), () => Promise.reject(new Error("gone"))]) {
    const { applied, lines } = await followed(ask);
    assert.deepEqual(applied, []);
    assert.deepEqual(lines, ["error revocations could not be applied"]);
  }
});
