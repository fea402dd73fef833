import assert from "node:assert/strict";
import { healthText } from "./health.ts";

Deno.test("health says in its first word how it is, then why", () => {
  const text = healthText({
    ok: true,
    status: "degraded",
    reasons: [{ code: "CA_EXPIRING", severity: "warning", text: "The CA's certificate\u001b[2J" }],
    checks: [
      { name: "node", ok: true, detail: "running" },
      { name: "plugin ca", ok: false, detail: "boom" },
    ],
  });
  assert.equal(
    text,
    "degraded\nwarning: The CA's certificate\\x1b[2J [CA_EXPIRING]\nok  node: running\nFAILS  plugin ca: boom\n",
  );
});
