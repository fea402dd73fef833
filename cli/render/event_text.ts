import type { HistoryEvent } from "../../core/history/types.ts";
import { escapeText } from "../../core/log/escape_text.ts";

/** Widest usual type; a longer one only moves what follows. */
const typeWidth = 19;

/** An event as one line: time, type, node, then what is known. */
export function eventText(event: HistoryEvent): string {
  const { ts, type, node, detail, error, fields } = event;
  const details = [
    ...(detail === null ? [] : [detail]),
    ...(error === null ? [] : [`error: ${error}`]),
    ...Object.entries(fields).map(([key, value]) =>
      `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`
    ),
  ];
  const line = [
    ts.replace("T", " ").replace(/\.\d+Z$/, "Z"),
    type.padEnd(typeWidth),
    (node?.slice(0, 8) ?? "-").padEnd(8),
    ...details,
  ].join(" ");
  return escapeText(line.trimEnd());
}
