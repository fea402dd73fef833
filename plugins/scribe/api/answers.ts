import { z } from "zod";
import type { Json, PluginApiRequest, PluginApiResponse } from "../../../core/plugin/types.ts";
import { parseRequest } from "../request.ts";
import type { ChangeOutcome, ChangeRequest } from "../scribe.ts";

/** A node in a request: id, unique beginning of it, or name. */
export const nodeWord = z.string().min(1).max(300);
/** Publish even what breaks a kept assertion. */
export const force = z.boolean().default(false);

/** A number in a JSON body, or in a query. Never made from nothing. */
export const index = z.union([
  z.int().min(0).max(1_000_000),
  z.string().regex(/^\d{1,7}$/, "is not a number").transform(Number),
]);

/** Which page of a list. */
export const pageQuery = z.object({
  limit: z.union([
    z.int(),
    z.string().regex(/^\d{1,5}$/, "is not a number").transform(Number),
  ]).pipe(z.int().min(1).max(1_000)).default(100),
  cursor: z.string().min(1).max(300).optional(),
});

/** What the caller of a route asks of a change. */
export function conditions(request: PluginApiRequest, forced = false): ChangeRequest {
  return { by: request.by ?? "local", ifMatch: request.ifMatch, force: forced };
}

/** The answer to a change: what came of it, and the version to name in the next `If-Match`. */
export function changed(
  outcome: ChangeOutcome,
  more: { readonly [key: string]: Json } = {},
): PluginApiResponse {
  const { version, changed, note } = outcome;
  return { status: 200, body: { version, changed, note, ...more }, etag: version };
}

/** A change of what `DELETE` and old clients name in the query as well as in the body. */
export function named(request: PluginApiRequest): Json {
  const { body, query } = request;
  const sent = typeof body === "object" && body !== null && !Array.isArray(body) ? body : {};
  return { ...query, ...sent };
}

/** The key of an item in a list that has an order of its own: its number there. */
export function placeKey(index: number): string {
  return String(index).padStart(7, "0");
}

/**
 * One page of a list that is in the order of its keys.
 * @throws {ScribeError} SCRIBE_REQUEST_INVALID
 */
export function pageOf<T>(
  items: readonly T[],
  key: (item: T) => string,
  query: PluginApiRequest["query"],
): { readonly items: readonly T[]; readonly next: string | null } {
  const { limit, cursor } = parseRequest(pageQuery, {
    ...(query["limit"] !== undefined && { limit: query["limit"] }),
    ...(query["cursor"] !== undefined && { cursor: query["cursor"] }),
  });
  const sorted = items.map((item) => ({ item, at: key(item) }))
    .sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
  const rest = sorted.filter(({ at }) => cursor === undefined || at > cursor);
  const shown = rest.slice(0, limit);
  const next = rest.length > limit ? shown.at(-1)?.at ?? null : null;
  return { items: shown.map(({ item }) => item), next };
}
