import { escapeText } from "./escape_text.ts";
import { boundText, type LogRecord, reservedFields } from "./log_record.ts";

/** One record as one line of JSON, without its newline. A field that bears a reserved name is written as `field.<name>`. */
export function formatJson(record: LogRecord): string {
  const line: Record<string, unknown> = {
    ts: new Date(record.time).toISOString(),
    level: record.level,
    component: record.component,
    msg: record.message,
  };
  for (const [key, value] of Object.entries(record.fields)) {
    if (value !== undefined) line[reservedFields.has(key) ? `field.${key}` : clean(key)] = value;
  }
  // JSON.stringify escapes C0 only; the rest would still reach the terminal of whoever runs `cat` on the file.
  return JSON.stringify(line, (_key, value) => typeof value === "string" ? clean(value) : value);
}

function clean(text: string): string {
  return escapeText(boundText(text));
}
