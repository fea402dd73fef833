import { encodeName } from "./dns_name.ts";

/** Support for tests only: messages made by hand. */

/** Labels of any octets. */
export function wire(labels: readonly string[]): Uint8Array {
  const bytes = labels.flatMap((label) => [
    label.length,
    ...[...label].map((character) => character.charCodeAt(0)),
  ]);
  return Uint8Array.of(...bytes, 0);
}

export interface QuestionOptions {
  readonly id?: number;
  /** Instead of the name as text. */
  readonly name?: Uint8Array;
  readonly class?: number;
  readonly flags?: number;
  /** Whole records. */
  readonly additional?: readonly Uint8Array[];
}

export function question(
  name: string,
  type: number,
  options: QuestionOptions = {},
): Uint8Array<ArrayBuffer> {
  const { id = 0x1234, flags = 0x0100, additional = [] } = options;
  return Uint8Array.of(
    ...[id >> 8, id & 255, flags >> 8, flags & 255, 0, 1, 0, 0, 0, 0, 0, additional.length],
    ...options.name ?? encodeName(name),
    ...[type >> 8, type & 255, 0, options.class ?? 1],
    ...additional.flatMap((record) => [...record]),
  );
}

/** An OPT record that offers so many bytes. */
export function opt(size: number): Uint8Array {
  return Uint8Array.of(0, 0, 41, size >> 8, size & 255, 0, 0, 0, 0, 0, 0);
}
