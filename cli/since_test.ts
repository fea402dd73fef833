import assert from "node:assert/strict";
import { parseSince } from "./since.ts";

const now = Date.UTC(2026, 4, 10, 12);

Deno.test("a duration is so long ago, a time is that time", () => {
  const cases: [string, string][] = [
    ["90s", "2026-05-10T11:58:30.000Z"],
    ["1h30m", "2026-05-10T10:30:00.000Z"],
    ["7d", "2026-05-03T12:00:00.000Z"],
    ["1w", "2026-05-03T12:00:00.000Z"],
    ["999999999w", "1970-01-01T00:00:00.000Z"],
    ["2026-05-01T12:00:00Z", "2026-05-01T12:00:00.000Z"],
    ["2026-05-01 12:00:00+02:00", "2026-05-01T10:00:00.000Z"],
    ["2026-05-01", "2026-05-01T00:00:00.000Z"],
  ];
  for (const [text, at] of cases) assert.equal(parseSince(text, now), at, text);
});

Deno.test("anything else is misuse", () => {
  for (
    const text of ["", "1", "h", "1h 30m", "-1h", "yesterday", "2026-13-01", "2026-05-01T12:00:00"]
  ) {
    assert.throws(() => parseSince(text, now), { code: "USAGE" }, text);
  }
});
