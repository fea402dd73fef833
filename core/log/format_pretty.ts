import { styleText } from "node:util";
import type { Json, LogLevel } from "../plugin/types.ts";
import { escapeText } from "./escape_text.ts";
import { boundText, type LogRecord } from "./log_record.ts";

const labels: Readonly<Record<LogLevel, string>> = {
  debug: "DEBUG",
  info: "INFO ",
  warn: "WARN ",
  error: "ERROR",
};

const colours: Readonly<Record<LogLevel, "gray" | "green" | "yellow" | "red">> = {
  debug: "gray",
  info: "green",
  warn: "yellow",
  error: "red",
};

/** One record for people: `14:03:27.512 WARN  gossip record dropped peer=ab12 reason="bad signature"`, local time. */
export function formatPretty(record: LogRecord, options: { readonly colour: boolean }): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const parts = [
    paint("dim", clockTime(record.time)),
    paint(colours[record.level], labels[record.level]),
  ];
  if (record.component !== "") parts.push(paint("cyan", escapeText(record.component)));
  parts.push(escapeText(boundText(record.message)));
  for (const [key, value] of Object.entries(record.fields)) {
    if (value === undefined) continue;
    parts.push(`${paint("dim", `${escapeText(key)}=`)}${fieldText(value)}`);
  }
  return parts.join(" ");
}

function clockTime(time: number): string {
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

function fieldText(value: Json): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const safe = escapeText(boundText(text));
  return /^[^\s"=]+$/.test(safe) || typeof value !== "string" ? safe : `"${safe}"`;
}
