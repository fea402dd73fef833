import assert from "node:assert/strict";
import fc from "fast-check";
import { Glob } from "./glob.ts";

const matches = (pattern: string, text: string) => Glob.parse(pattern)?.matches(text);

Deno.test("stars, question marks, sets and escapes match as in a shell", () => {
  const cases: [string, string, boolean][] = [
    ["", "", true],
    ["", "a", false],
    ["ab*", "ab", true],
    ["ab*", "abcd", true],
    ["ab*", "aab", false],
    ["*ff", "00ff", true],
    ["*ff", "ff00", false],
    ["a*b*c", "a1b2b3c", true],
    ["a*b*c", "a1b2b3", false],
    ["**", "anything", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[0-3a]f", "2f", true],
    ["[0-3a]f", "4f", false],
    ["[^0-3]f", "4f", true],
    ["[!0-3]f", "2f", false],
    ["[\\]]", "]", true],
    ["a\\*", "a*", true],
    ["a\\*", "ab", false],
  ];
  for (const [pattern, text, expected] of cases) {
    assert.equal(matches(pattern, text), expected, `${pattern} over ${text}`);
  }
});

Deno.test("a malformed glob is told as such", () => {
  for (const pattern of ["[", "[]", "[^]", "[a", "[a-", "[a-]", "[b-a]", "[-a]", "a\\", "[a\\"]) {
    assert.equal(Glob.parse(pattern), null, pattern);
  }
});

Deno.test("the suffix is what every match ends with", () => {
  assert.deepEqual(["ab*c", "*[b]", "*cd", "abc"].map((text) => Glob.parse(text)?.suffix), [
    "c",
    "",
    "cd",
    "abc",
  ]);
});

Deno.test("the prefix is what every match begins with, and a glob without wildcards is its prefix", () => {
  assert.deepEqual(["ab*c", "a[b]c", "*", "abc"].map((text) => Glob.parse(text)?.prefix), [
    "ab",
    "a",
    "",
    "abc",
  ]);
  assert.deepEqual(["ab*", "abc", "a\\*"].map((text) => Glob.parse(text)?.literal), [
    false,
    true,
    true,
  ]);
});

Deno.test("globs agree with regular expressions", () => {
  const part = fc.constantFrom(..."ab*?", "[ab]", "[^a]");
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 10 }),
      fc.string({ unit: fc.constantFrom(..."abc"), maxLength: 12 }),
      (parts, text) => {
        const expression = parts.join("").replaceAll("*", ".*").replaceAll("?", ".");
        assert.equal(matches(parts.join(""), text), new RegExp(`^${expression}$`).test(text));
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("a pattern full of stars takes no more than pattern times text steps", () => {
  assert.equal(matches("*a".repeat(64), "a".repeat(32)), false);
  assert.equal(matches("*a".repeat(64) + "b", "a".repeat(100_000)), false);
});
