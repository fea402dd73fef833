import { UsageError } from "./usage_error.ts";

/** `key=value` words as one object; a value may hold more `=`. @throws {UsageError} */
export function parseKeyValues(words: readonly string[]): { [key: string]: string } {
  const pairs = words.map((word): [string, string] => {
    const at = word.indexOf("=");
    if (at < 1) throw new UsageError(`"${word.slice(0, 80)}" is not key=value`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
  const keys = pairs.map(([key]) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw new UsageError(`${twice} is there twice`);
  return Object.fromEntries(pairs);
}
