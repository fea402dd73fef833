import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import type { Env } from "hono";
import { z } from "zod";
import type { HistoryControl } from "../history/types.ts";
import {
  auditQuery,
  auditSchema,
  auditVerdictSchema,
  eventsQuery,
  eventsSchema,
  statsQuery,
  statsSchema,
} from "./history_schema.ts";
import { problemContent } from "./core_routes.ts";
import { ControlError } from "./errors.ts";
import { eventStream, lastEventId } from "./event_stream.ts";
import { historyStream } from "./history_stream.ts";

/** Without `since`, statistics of the last hour. */
const usualSinceMs = 3_600_000;

const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { "application/json": { schema } },
});

const events = createRoute({
  method: "get",
  path: "/api/events",
  summary:
    "What happened at this node, newest first; with follow=1 what happens, as an event stream",
  request: {
    query: eventsQuery,
  },
  responses: {
    200: {
      description: "Events",
      content: {
        "application/json": { schema: eventsSchema },
        "text/event-stream": { schema: z.string() },
      },
    },
    default: problemContent,
  },
});

const stats = createRoute({
  method: "get",
  path: "/api/stats",
  summary: "What this node, or the one named, measured of its peers",
  request: { query: statsQuery },
  responses: { 200: json("Series by peer", statsSchema), default: problemContent },
});

const audit = createRoute({
  method: "get",
  path: "/api/audit",
  summary: "Who changed what through this API, newest first",
  request: { query: auditQuery },
  responses: { 200: json("Entries", auditSchema), default: problemContent },
});

const verify = createRoute({
  method: "get",
  path: "/api/audit/verify",
  summary: "Checks the audit log's chain of hashes from its first entry to its last",
  responses: { 200: json("The verdict", auditVerdictSchema), default: problemContent },
});

/** Adds the routes of events, statistics and audit log. @param signal ends the streams */
export function mountHistoryRoutes<E extends Env>(
  app: OpenAPIHono<E>,
  history: HistoryControl,
  signal: AbortSignal,
): void {
  app.openapi(events, (c) => {
    const query = c.req.valid("query");
    const { type, node, limit, cursor } = query;
    if (query.follow !== undefined) {
      const after = eventNumber(lastEventId(c.req.raw.headers));
      const source = historyStream(
        (ended) => history.follow({ type, node, after, signal: ended }),
        signal,
      );
      return eventStream(source, signal);
    }
    const page = history.events({
      type,
      node,
      since: milliseconds(query.since),
      until: milliseconds(query.until),
      limit,
      before: cursor === undefined ? undefined : Number(cursor),
    });
    return c.json(page, 200);
  });
  app.openapi(stats, async (c) => {
    const { since, ...query } = c.req.valid("query");
    const from = milliseconds(since) ?? Date.now() - usualSinceMs;
    return c.json(await history.stats({ ...query, since: from }), 200);
  });
  app.openapi(audit, (c) => {
    const { limit, cursor } = c.req.valid("query");
    const before = cursor === undefined ? undefined : Number(cursor);
    return c.json(history.audit({ limit, before }), 200);
  });
  app.openapi(verify, async (c) => c.json(await history.verifyAudit(), 200));
}

function milliseconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}

/** @throws {ControlError} HEADER_INVALID */
function eventNumber(id: string | null): number | undefined {
  if (id === null) return undefined;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new ControlError("HEADER_INVALID", "Last-Event-ID is not the number of an event");
}
