import type { SQLOutputValue } from "node:sqlite";
import { StorageError } from "./errors.ts";

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A TEXT column that is never NULL. @throws {StorageError} DATABASE_MALFORMED, as for the others */
export function textOf(row: Row | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== "string") throw wrongType(column);
  return value;
}

/** An INTEGER or REAL column that is never NULL. */
export function numberOf(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== "number") throw wrongType(column);
  return value;
}

/** A BLOB column that is never NULL. */
export function bytesOf(row: Row | undefined, column: string): Uint8Array {
  const value = row?.[column];
  if (!(value instanceof Uint8Array)) throw wrongType(column);
  return value;
}

/** A TEXT column that may be NULL. */
export function optionalText(row: Row, column: string): string | null {
  return row[column] === null ? null : textOf(row, column);
}

/** An INTEGER or REAL column that may be NULL. */
export function optionalNumber(row: Row, column: string): number | null {
  return row[column] === null ? null : numberOf(row, column);
}

/** In SQLite's own words for a file that is damaged: this is one more way of being it. */
function wrongType(column: string): StorageError {
  return new StorageError(
    "DATABASE_MALFORMED",
    `database disk image is malformed: a wrong value in "${column}"`,
    { column },
  );
}
