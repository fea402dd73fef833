import { z } from "zod";
import type { Json } from "../../core/plugin/types.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import { formatPretty } from "../../core/log/format_pretty.ts";
import { logLevels } from "../../core/log/log_level.ts";

const lineSchema = z.looseObject({
  ts: z.iso.datetime(),
  level: z.enum(logLevels),
  component: z.string(),
  msg: z.string(),
});

/** A line of the log as people read it; what is no log line is shown as it is, escaped. */
export function showLine(line: string, colour: boolean): string {
  const parsed = lineSchema.safeParse(parseJson(line));
  if (!parsed.success) return escapeText(line);
  const { ts, level, component, msg, ...fields } = parsed.data;
  return formatPretty({
    time: Date.parse(ts),
    level,
    component,
    message: msg,
    // They come out of JSON.parse.
    fields: fields as { [key: string]: Json },
  }, { colour });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A panic of the runtime, or a line cut off by a crash: shown as text.
    return undefined;
  }
}
