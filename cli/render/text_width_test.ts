import assert from "node:assert/strict";
import { fitText, textWidth } from "./text_width.ts";

Deno.test("a text is as wide as a terminal shows it", () => {
  for (
    const [text, width] of [["", 0], ["abc", 3], ["päivä", 5], ["日本", 4], ["e\u0301", 1], [
      "🙂",
      2,
    ]] as const
  ) {
    assert.equal(textWidth(text), width, text);
  }
});

Deno.test("a text is cut to its place, never through a wide character", () => {
  assert.equal(fitText("abcdef", 6), "abcdef");
  assert.equal(fitText("abcdef", 4), "abc\u2026");
  assert.equal(fitText("日本語", 4), "日\u2026");
});
