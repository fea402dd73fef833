import assert from "node:assert/strict";
import { expositionText } from "./exposition_text.ts";

Deno.test("samples of one family stand together under one HELP and TYPE, labels escaped", () => {
  const text = expositionText([
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
  const text = expositionText([
    { name: "bad name", help: "", type: "gauge", value: 1 },
    { name: "good", help: "", type: "gauge", value: 1, labels: { "bad-label": "x" } },
  ]);
  assert.equal(text, "# HELP good \n# TYPE good gauge\ngood 1\n");
});

Deno.test("a histogram is written as cumulative buckets, a sum and a count", () => {
  const text = expositionText([{
    name: "h",
    help: "H",
    type: "histogram",
    value: 6,
    labels: { a: "b" },
    histogram: { bounds: [1, 10], counts: [1, 2, 3], sum: 99 },
  }]);
  assert.equal(
    text,
    '# HELP h H\n# TYPE h histogram\nh_bucket{a="b",le="1"} 1\nh_bucket{a="b",le="10"} 3\n' +
      'h_bucket{a="b",le="+Inf"} 6\nh_sum{a="b"} 99\nh_count{a="b"} 6\n',
  );
});
