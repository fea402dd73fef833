import { escapeText } from "../../core/log/escape_text.ts";
import { fitText, textWidth } from "./text_width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** When the table is too wide, columns with a higher number go first; 0 always stays. @default 0 */
  readonly dispensable?: number;
  /** A column that may be cut instead of being left out, down to this width. */
  readonly shrinkTo?: number;
}

export interface TableOptions {
  /** Columns of the terminal; undefined: as wide as it gets. */
  readonly width: number | undefined;
}

const gap = 2;

/**
 * Lines of a table: titles, then one line per row. Every cell is escaped, whatever it is made from. A table too wide for the
 * terminal is first cut in the columns that allow it, then loses dispensable columns; a last line says how many.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  const cells = rows.map((row) => row.map(escapeText));
  const all = columns.map((column, i) => {
    const width = Math.max(textWidth(column.title), ...cells.map((row) => textWidth(row[i] ?? "")));
    return { column, i, full: width, width };
  });
  const shown = options.width === undefined ? all : fit(all, options.width);
  const line = (texts: readonly string[]) =>
    shown.map(({ column, i, width }) => pad(fitText(texts[i] ?? "", width), width, column.align))
      .join(" ".repeat(gap)).trimEnd();
  const lines = [line(columns.map(({ title }) => title)), ...cells.map(line)];
  const hidden = all.filter(({ i }) => !shown.some((entry) => entry.i === i)).map(({ column }) =>
    column.title
  );
  if (hidden.length > 0) lines.push(`(not shown for want of width: ${hidden.join(", ")})`);
  return lines;
}

interface Fitted {
  readonly column: Column;
  readonly i: number;
  /** Width that shows everything. */
  readonly full: number;
  readonly width: number;
}

/** The columns that are shown, with the widths they get. */
function fit(all: readonly Fitted[], limit: number): readonly Fitted[] {
  let shown = all;
  for (;;) {
    const narrow = shown.map((entry) => ({
      ...entry,
      width: Math.min(entry.full, entry.column.shrinkTo ?? entry.full),
    }));
    const spare = limit - narrow.reduce((sum, { width }) => sum + width + gap, -gap);
    if (spare >= 0) return widen(narrow, spare);
    const least = shown.reduce((a, b) =>
      (b.column.dispensable ?? 0) > (a.column.dispensable ?? 0) ? b : a
    );
    if ((least.column.dispensable ?? 0) === 0) return narrow;
    shown = shown.filter((entry) => entry !== least);
  }
}

/** What is left of the line goes to the columns that were cut, from the left. */
function widen(narrow: readonly Fitted[], spare: number): readonly Fitted[] {
  let left = spare;
  return narrow.map((entry) => {
    const more = Math.min(left, entry.full - entry.width);
    left -= more;
    return { ...entry, width: entry.width + more };
  });
}

function pad(text: string, width: number, align: Column["align"]): string {
  const spaces = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "right" ? spaces + text : text + spaces;
}
