import { type BenchResult, isRate, reached } from "./bench.ts";

/** Lays out rows in columns; the first column is aligned left, the others right. */
export function layOut(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
    ).join("  ").trimEnd()
  ).join("\n");
}

/** One line for each result: median, spread, what it is held against, target, and whether it was reached. */
export function resultTable(results: readonly BenchResult[]): string {
  const head = ["", "median", "lowest", "highest", "ratio", "target", ""];
  return layOut([head, ...results.map(resultRow)]);
}

function resultRow(result: BenchResult): string[] {
  const { bench, ratio } = result;
  const fine = reached(result);
  const targets: string[] = [];
  if (bench.target !== undefined) {
    targets.push(`${isRate(bench.unit) ? ">=" : "<="} ${bench.target} ${bench.unit}`);
  }
  if (bench.against?.target !== undefined) targets.push(`>= ${bench.against.target} x`);
  return [
    bench.title,
    `${digits(result.median)} ${bench.unit}`,
    digits(result.lowest),
    digits(result.highest),
    ratio === undefined ? "" : `${ratio.toFixed(2)} x ${bench.against?.name}`,
    targets.join(" and "),
    fine === undefined ? "" : fine ? "reached" : "missed",
  ];
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
