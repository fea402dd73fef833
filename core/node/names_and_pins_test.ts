import assert from "node:assert/strict";
import { namesAndPins } from "./names_and_pins.ts";

Deno.test("names and pins are read off the entries that have them", () => {
  const [box, phone, relay] = ["1", "2", "3"].map((digit) => digit.repeat(32)) as [
    string,
    string,
    string,
  ];
  const entry = { name: null, tags: ["dev"], meshIp: null, pinnedVia: null };
  const { names, pins } = namesAndPins({
    nodes: {
      [box]: { ...entry, name: "box" },
      [phone]: { ...entry, pinnedVia: relay },
      [relay]: { ...entry, name: "relay", pinnedVia: box },
    },
  });
  assert.deepEqual([...names], [["box", box], ["relay", relay]]);
  assert.deepEqual([...pins], [[phone, relay], [relay, box]]);
});
