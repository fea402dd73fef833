import assert from "node:assert/strict";
import { applyRemoteSettings } from "./remote_settings.ts";

function apply(settings: Record<string, string>) {
  const levels: string[] = [];
  const text = () => applyRemoteSettings(settings, { setLogLevel: (level) => levels.push(level) });
  return { levels, text };
}

Deno.test("the log level is set from afar", () => {
  const { levels, text } = apply({ "log-level": "debug" });
  assert.equal(text(), "log-level is debug");
  assert.deepEqual(levels, ["debug"]);
});

Deno.test("a wrong value, or a setting that opens doors, changes nothing", () => {
  const bad: Record<string, string>[] = [
    { "log-level": "loud" },
    { "allow-local": "all" },
    { "log-level": "debug", "ca": "true" },
  ];
  for (const settings of bad) {
    const { levels, text } = apply(settings);
    assert.throws(text, { code: "REMOTE_SETTING_INVALID" });
    assert.deepEqual(levels, []);
  }
});
