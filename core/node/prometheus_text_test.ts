import assert from "node:assert/strict";
import { prometheusText } from "./prometheus_text.ts";

Deno.test("samples of one family stand together under one HELP and TYPE, labels escaped", () => {
  const text = prometheusText([
    { name: "pulse_a", help: "A\nb", type: "gauge", value: 1, labels: { id: 'x"\n\\' } },
    { name: "pulse_b", help: "B", type: "counter", value: 2 },
    { name: "pulse_a", help: "A", type: "gauge", value: 3, labels: { id: "y" } },
  ]);
  assert.equal(
    text,
    '# HELP pulse_a A\\nb\n# TYPE pulse_a gauge\npulse_a{id="x\\"\\n\\\\"} 1\npulse_a{id="y"} 3\n' +
      "# HELP pulse_b B\n# TYPE pulse_b counter\npulse_b 2\n",
  );
});

Deno.test("names the format forbids are left out and spoil nothing", () => {
  const text = prometheusText([
    { name: "bad name", help: "", type: "gauge", value: 1 },
    { name: "good", help: "", type: "gauge", value: 1, labels: { "bad-label": "x" } },
  ]);
  assert.equal(text, "# HELP good \n# TYPE good gauge\ngood 1\n");
});
