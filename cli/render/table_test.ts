import assert from "node:assert/strict";
import fc from "fast-check";
import { type Column, renderTable } from "./table.ts";
import { textWidth } from "./text_width.ts";

Deno.test("columns line up whatever is in them, wide characters too", () => {
  assert.deepEqual(
    renderTable(
      [{ title: "NAME" }, { title: "MS", align: "right" }, { title: "X" }],
      [["a", "1.5", "p"], ["日本", "100.0", "q"], ["", "", ""]],
      { width: undefined },
    ),
    [
      "NAME     MS  X",
      "a       1.5  p",
      "日本  100.0  q",
      "",
    ],
  );
});

Deno.test("a cell cannot act on the terminal or forge a line", () => {
  const [, row] = renderTable([{ title: "A" }], [["x\x1b[2J\ny"]], { width: undefined });
  assert.equal(row, "x\\x1b[2J\\ny");
});

Deno.test("a table that is too wide is cut first, then loses its dispensable columns, says so and uses the room they leave", () => {
  const columns: Column[] = [
    { title: "ID" },
    { title: "ADDR", shrinkTo: 6, dispensable: 2 },
    { title: "VERSION", dispensable: 3 },
    { title: "LINK" },
  ];
  const rows = [["12345678", "relay.example.com:443", "0.1.0", "quic"]];
  const at = (width: number) => renderTable(columns, rows, { width });
  assert.match(at(80)[1] ?? "", /relay\.example\.com:443/);
  assert.equal(at(40)[1], "12345678  relay.example.\u2026  0.1.0    quic");
  assert.deepEqual(at(24), [
    "ID        ADDR      LINK",
    "12345678  relay.e\u2026  quic",
    "(not shown for want of width: VERSION)",
  ]);
  assert.match(at(16).at(-1) ?? "", /ADDR, VERSION/);
});

Deno.test("no line of a table with dispensable columns is wider than the terminal", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { minLength: 4, maxLength: 4 }),
        {
          maxLength: 5,
        },
      ),
      fc.integer({ min: 10, max: 120 }),
      (rows, width) => {
        const columns: Column[] = [
          { title: "A", shrinkTo: 4 },
          { title: "B", dispensable: 1 },
          { title: "C", dispensable: 2, shrinkTo: 3 },
          { title: "D", align: "right", dispensable: 3 },
        ];
        const lines = renderTable(columns, rows, { width });
        for (const line of lines.slice(0, rows.length + 1)) {
          assert.equal(textWidth(line) <= width, true, `${textWidth(line)} > ${width}`);
        }
      },
    ),
  );
});
