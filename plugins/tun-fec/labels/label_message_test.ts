import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeLabelMessage, encodeLabelMessage, type LabelMessage } from "./label_message.ts";

const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(32)) as [string, string, string];

Deno.test("label messages are read as they were written", () => {
  const said: LabelMessage[] = [
    ["ask", [a, b, c], 1, 9],
    ["ping"],
    ["pong"],
    ["label", 77],
    ["refuse", "STREAM_DENIED", "rule 3 says no"],
  ];
  for (const one of said) assert.deepEqual(decodeLabelMessage(encodeLabelMessage(one)), one);
});

Deno.test("paths that are none are refused: too short, a node twice, the place of no relay", () => {
  const wrong = [
    ["ask", [a, b], 1, 9],
    ["ask", [a, b, a], 1, 9],
    ["ask", [a, b, c], 0, 9],
    ["ask", [a, b, c], 2, 9],
    ["ask", [a, b, c], 1, 0],
    ["ask", [a, b, "C".repeat(32)], 1, 9],
    ["label", 0],
    ["label"],
  ];
  for (const one of wrong) {
    const bytes = encodeLabelMessage(one as unknown as LabelMessage);
    assert.throws(() => decodeLabelMessage(bytes), { code: "LABEL_MESSAGE_INVALID" });
  }
});

Deno.test("no bytes make a label message anything but read or refused", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 1_200 }), (bytes) => {
    try {
      decodeLabelMessage(bytes);
    } catch (error) {
      assert.equal((error as { code: string }).code, "LABEL_MESSAGE_INVALID");
    }
  }));
});
