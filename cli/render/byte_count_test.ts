import assert from "node:assert/strict";
import { formatBytes } from "./byte_count.ts";

Deno.test("bytes are shown in the unit that leaves one to three digits", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 KiB"],
    [1_536, "1.5 KiB"],
    [10 * 1_024, "10 KiB"],
    [1_024 * 1_023, "1.0 MiB"],
    [5 * 1_024 ** 4, "5.0 TiB"],
  ];
  for (const [count, text] of cases) assert.equal(formatBytes(count), text);
});
