import { z } from "zod";
import { ControlError } from "./errors.ts";

/** Items of a page when nobody says, and the most that anybody gets. */
export const pageLimit = { standard: 100, largest: 1_000 } as const;

/** Which page of a list, and what of it. */
export interface ListQuery<Filters> {
  readonly limit: number;
  /** Position of the last item of the page before; null for the first page. */
  readonly after: string | null;
  readonly filters: Filters;
}

/** One page, as it is answered. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** For `?cursor=`; null on the last page. */
  readonly next: string | null;
}

const paging = {
  limit: z.string().regex(/^[1-9]\d{0,3}$/).transform(Number).pipe(
    z.number().max(pageLimit.largest),
  ).optional(),
  cursor: z.string().max(1_024).optional(),
};

/**
 * Reads `?limit=`, `?cursor=` and a list's own filters. What the list does not know is refused: a filter with a typing error would
 * otherwise show everything.
 * @param query as plugins and routes get it
 * @param shape a zod schema for each filter, from text, usually optional
 * @throws {ControlError} QUERY_INVALID
 */
export function parseListQuery<Shape extends z.ZodRawShape>(
  query: Readonly<Record<string, string>>,
  shape: Shape,
): ListQuery<z.output<z.ZodObject<Shape>>> {
  const { limit, cursor, ...rest } = query;
  const page = z.strictObject(paging).safeParse({ limit, cursor });
  if (!page.success) throw invalid(page.error);
  const filters = z.strictObject(shape).safeParse(rest);
  if (!filters.success) throw invalid(filters.error);
  return {
    limit: page.data.limit ?? pageLimit.standard,
    after: cursor === undefined ? null : decodeCursor(cursor),
    filters: filters.data,
  };
}

/**
 * Cuts a page out of items that a list found.
 * @param found in the list's order, from behind `after`; one more than `limit` of them tells that there is another page
 * @param positionOf what makes an item's place in that order, unique in the list
 */
export function makePage<Item>(
  found: readonly Item[],
  limit: number,
  positionOf: (item: Item) => string,
): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const next = found.length > limit && last !== undefined ? encodeCursor(positionOf(last)) : null;
  return { items, next };
}

/** Opaque, so that nobody builds on what is inside. */
function encodeCursor(position: string): string {
  const bytes = new TextEncoder().encode(`p1:${position}`);
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function decodeCursor(cursor: string): string {
  let text: string;
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw badCursor(cause);
  }
  if (!text.startsWith("p1:")) throw badCursor();
  return text.slice(3);
}

function badCursor(cause?: unknown): ControlError {
  return new ControlError(
    "QUERY_INVALID",
    'cursor: it must be the "next" of the page before, unchanged',
    {},
    cause,
  );
}

function invalid(error: z.ZodError): ControlError {
  const issue = error.issues[0];
  const where = issue?.path.join(".") ?? "";
  return new ControlError(
    "QUERY_INVALID",
    `The query does not fit: ${where === "" ? "" : `${where}: `}${issue?.message ?? ""}`,
    {},
    error,
  );
}
