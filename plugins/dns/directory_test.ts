import assert from "node:assert/strict";
import { PulseError } from "../../core/errors/mod.ts";
import type { Json } from "../../core/plugin/types.ts";
import { Directory } from "./directory.ts";
import { sampleSnapshot } from "./testing.ts";

/** A directory over a core that answers from `answers`, in turn; the last one again and again. */
function start(...answers: (() => Promise<Json>)[]) {
  const state = { now: 0, asked: 0, warnings: [] as string[] };
  const directory = new Directory({
    call: () => answers[Math.min(state.asked++, answers.length - 1)]!(),
    log: (level, message) => level === "warn" && state.warnings.push(message),
    now: () => state.now,
  });
  return { state, directory };
}

const good = () => Promise.resolve(sampleSnapshot() as unknown as Json);
const bad = () => Promise.reject(new PulseError("PLUGIN_TOO_EARLY", "not now"));

Deno.test("core is asked once for two seconds, however many questions come", async () => {
  const { directory, state } = start(good);
  assert.equal(directory.fresh, undefined);
  const [a, b] = await Promise.all([directory.read(), directory.read()]);
  assert.ok(a !== undefined && a === b && directory.fresh === a);
  assert.equal(state.asked, 1);
  state.now = 1_999;
  assert.equal(directory.fresh, a);
  state.now = 2_000;
  assert.equal(directory.fresh, undefined);
  // The same answer is the same index.
  assert.equal(await directory.read(), a);
});

Deno.test("a change in the network config makes the next question ask core", async () => {
  const { directory } = start(good);
  await directory.read();
  directory.expire();
  assert.equal(directory.fresh, undefined);
});

Deno.test("when core cannot answer the last names stay, and it is said once", async () => {
  const { directory, state } = start(bad, bad, good, bad, () => Promise.resolve({ nodes: 1 }));
  assert.equal(await directory.read(), undefined);
  assert.equal(await directory.read(), undefined);
  assert.equal(state.warnings.length, 1);
  const index = await directory.read();
  assert.ok(index?.find("db.pulse"));
  assert.equal(await directory.read(), index);
  assert.equal(await directory.read(), index);
  assert.deepEqual(state.warnings, Array(2).fill("the names of the mesh could not be read"));
});

Deno.test("records that cannot be used are reported once and cost nothing else", async () => {
  const snapshot = sampleSnapshot([{ name: "x", type: "A", value: "not an address", ttl: 1 }]);
  const { directory, state } = start(() => Promise.resolve(snapshot as unknown as Json));
  const index = await directory.read();
  await directory.read();
  assert.deepEqual(index?.faults, ["x A: the value is not an IPv4 address"]);
  assert.ok(index?.find("db.pulse"));
  assert.deepEqual(state.warnings, ["DNS records are not usable"]);
});
