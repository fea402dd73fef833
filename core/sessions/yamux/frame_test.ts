import assert from "node:assert/strict";
import { FrameFlag, FrameType, HEADER_BYTES, writeHeader } from "./frame.ts";

Deno.test("a header is twelve bytes, big endian, as hashicorp/yamux writes it", () => {
  const out = new Uint8Array(HEADER_BYTES + 2).fill(0xee);
  writeHeader(
    out,
    1,
    FrameType.windowUpdate,
    FrameFlag.syn | FrameFlag.rst,
    0xfedc_ba98,
    0x8000_0001,
  );
  assert.equal(out.toHex(), "ee" + "00" + "01" + "0009" + "fedcba98" + "80000001" + "ee");
});
