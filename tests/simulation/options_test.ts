import assert from "node:assert/strict";
import { defaultSimOptions, parseSimOptions } from "./options.ts";

Deno.test("no options are the defaults, with or without the separator of deno task", () => {
  assert.deepEqual(parseSimOptions([]), defaultSimOptions);
  assert.deepEqual(parseSimOptions(["--"]), defaultSimOptions);
});

Deno.test("every option is read", () => {
  const args =
    "-- --nodes 20 --seed x --degree 3.5 --minutes 2 --latency 5-10 --loss 1 --changes 2 " +
    "--restarts 0 --partition 0 --forgeries 0.5";
  assert.deepEqual(parseSimOptions(args.split(" ")), {
    nodes: 20,
    seed: "x",
    degree: 3.5,
    minutes: 2,
    latencyMs: [5, 10],
    loss: 0.01,
    changes: 2,
    restarts: 0,
    partitionSeconds: 0,
    forgeriesPerSecond: 0.5,
  });
});

Deno.test("help is an answer of its own", () => {
  assert.equal(parseSimOptions(["--help"]), "help");
});

for (
  const bad of ["--nodes 1", "--nodes x", "--nodes 2.5", "--nodes=", "--latency 9", "--latency 9-5"]
) {
  Deno.test(`"${bad}" is refused with the range`, () => {
    assert.throws(() => parseSimOptions(bad.split(" ")), RangeError);
  });
}

Deno.test("an unknown option is refused", () => {
  assert.throws(() => parseSimOptions(["--node", "5"]), TypeError);
});
