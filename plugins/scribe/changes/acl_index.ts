import { ScribeError } from "../errors.ts";

/** @throws {ScribeError} ACL_INDEX_INVALID there is no such place; nothing stands for a place that was not named */
export function checkIndex(index: number, length: number, what: string): void {
  if (Number.isInteger(index) && index >= 0 && index < length) return;
  const range = length === 0 ? `there is no ${what}` : `use 0 to ${length - 1}`;
  throw new ScribeError("ACL_INDEX_INVALID", `${index} is not the number of a ${what}: ${range}`, {
    index: Number.isFinite(index) ? index : -1,
    length,
  });
}
