import assert from "node:assert/strict";
import {
  closeCodeFromWire,
  closeCodeToWire,
  closeReasonToWire,
  zeroMask,
} from "./websocket_wire.ts";

Deno.test("close codes travel in the range for applications and come back the same", () => {
  for (const code of [0, 1, 10, 999]) assert.equal(closeCodeFromWire(closeCodeToWire(code)), code);
  assert.equal(closeCodeToWire(5000), 4999);
  assert.equal(closeCodeToWire(-1), 4000);
  for (const code of [1000, 1006, 3999, 5000]) assert.equal(closeCodeFromWire(code), undefined);
});

Deno.test("reasons are cut to 123 bytes without cutting a character", () => {
  assert.equal(closeReasonToWire("short"), "short");
  assert.equal(closeReasonToWire("x".repeat(200)).length, 123);
  const cut = closeReasonToWire("é".repeat(100));
  assert.equal(cut, "é".repeat(61));
  assert.equal(closeReasonToWire("😀".repeat(100)), "😀".repeat(30));
});

Deno.test("the mask is all zeros", () => {
  const mask = Uint8Array.of(1, 2, 3, 4);
  zeroMask(mask);
  assert.deepEqual(mask, new Uint8Array(4));
});
