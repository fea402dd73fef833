import type { Json, LogLevel } from "../plugin/types.ts";

export type LogFields = { readonly [key: string]: Json | undefined };

/** One event before it is formatted. */
export interface LogRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: LogLevel;
  /** Dotted path of who speaks, such as `node.gossip`; "" for the root. */
  readonly component: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Where formatted records go. Synchronous, so that the last words before a crash are on disk. */
export interface LogSink {
  write(record: LogRecord): void;
}

/** Names that only the logger writes; docs/logging.md fixes them. */
export const reservedFields: ReadonlySet<string> = new Set(["ts", "level", "component", "msg"]);

/** Longest string kept of any one value, in UTF-16 units. */
export const maxFieldText = 2_048;

/** A value cut to `maxFieldText`, saying how much is missing. */
export function boundText(text: string): string {
  return text.length <= maxFieldText
    ? text
    : `${text.slice(0, maxFieldText)}...(${text.length - maxFieldText} more)`;
}
