import { z } from "zod";
import { statsAnswerSchema } from "../history/stats_protocol.ts";
import type { AuditPage, AuditVerdict, EventPage } from "../history/types.ts";
import type { Json } from "../plugin/types.ts";

/** Most events or audit entries in one answer. */
export const maxPage = 1_000;
/** Most points of statistics in one answer. */
export const maxPoints = 20_000;

const limit = (most: number, usual: number) =>
  z.coerce.number().int().min(1).max(most).default(usual);
const cursor = z.string().regex(/^[1-9]\d{0,14}$/, "a cursor is what an earlier answer gave")
  .optional();
const time = z.iso.datetime({ offset: true }).optional();
const node = z.string().min(1).max(64).optional();

/** `GET /api/events`. */
export const eventsQuery = z.object({
  type: z.string().min(1).max(64).optional(),
  node,
  since: time,
  until: time,
  limit: limit(maxPage, 100),
  cursor,
  follow: z.enum(["1", "true"]).optional(),
});

/** `GET /api/stats`. */
export const statsQuery = z.object({
  node,
  peer: node,
  since: time,
  resolution: z.enum(["10s", "5m", "1h"]).optional(),
  limit: limit(maxPoints, maxPoints),
});

/** `GET /api/audit`. */
export const auditQuery = z.object({ limit: limit(maxPage, 100), cursor });

/** What it describes comes out of JSON; a schema of all JSON cannot be written in OpenAPI without recursion. */
const fields = z.record(z.string(), z.unknown()) as z.ZodType<{ readonly [key: string]: Json }>;

/** One event, also as `data` of the stream. */
export const eventSchema = z.object({
  id: z.int(),
  ts: z.iso.datetime(),
  type: z.string(),
  node: z.string().nullable(),
  detail: z.string().nullable(),
  error: z.string().nullable(),
  fields,
});

export const eventsSchema: z.ZodType<EventPage> = z.object({
  events: z.array(eventSchema).readonly(),
  next: z.string().nullable(),
});

export const statsSchema = statsAnswerSchema;

export const auditSchema: z.ZodType<AuditPage> = z.object({
  entries: z.array(z.object({
    seq: z.int(),
    at: z.iso.datetime(),
    type: z.string(),
    fields,
    hash: z.string(),
  })).readonly(),
  next: z.string().nullable(),
});

export const auditVerdictSchema: z.ZodType<AuditVerdict> = z.object({
  entries: z.int(),
  first: z.int(),
  brokenAt: z.int().nullable(),
  reason: z.string().nullable(),
  head: z.string(),
});
