import assert from "node:assert/strict";
import { formatRule, formatVerdict } from "./format_rule.ts";
import { rule } from "./testing.ts";

Deno.test("a rule reads as one line, with what it leaves open left out", () => {
  assert.equal(
    formatRule(rule("deny", "tag:dev", "tag:prod", { ports: "22,80-90", protocols: ["tcp"] })),
    "deny tag:dev -> tag:prod tcp ports 22,80-90",
  );
  assert.equal(formatRule(rule("allow", "", "*")), "allow * -> *");
});

Deno.test("a rule of any length fits a message", () => {
  const ports = Array.from({ length: 64 }, (_, n) => `${n + 10_000}`).join(",");
  const text = formatRule(rule("deny", "a".repeat(128), "b".repeat(128), { ports }));
  assert.equal(text.length, 240);
});

Deno.test("a verdict names the rule by its number in the list", () => {
  const rules = [rule("deny", "a", "b")];
  assert.equal(
    formatVerdict({ allowed: false, rule: 0, reason: "rule" }, rules),
    "rule 0: deny a -> b",
  );
  assert.equal(
    formatVerdict({ allowed: false, rule: null, reason: "unmatched" }, rules),
    "no rule allows it",
  );
  assert.equal(
    formatVerdict({ allowed: true, rule: null, reason: "open" }, []),
    "there are no rules",
  );
});
