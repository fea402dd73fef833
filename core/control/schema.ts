import { z } from "zod";
import type { HealthReport, StatusReport } from "./types.ts";

const sessionKind = z.enum(["quic", "direct_quic", "websocket"]);
const role = z.enum(["ca", "scribe", "exit", "relay-only"]);
const texts = z.array(z.string());

const selfStatus = z.object({
  id: z.string(),
  name: z.string().nullable(),
  tags: texts,
  network: z.string(),
  version: z.string(),
  joined: z.boolean(),
  pid: z.int(),
  uptimeSeconds: z.number(),
  meshAddresses: texts,
  addresses: texts,
  listen: z.object({ quic: z.string().nullable(), websocket: z.string().nullable() }),
  roles: z.array(role),
  capabilities: texts,
  dataDir: z.string(),
});

const certificateStatus = z.object({
  serial: z.string(),
  fingerprint: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
  remainingSeconds: z.number(),
  status: z.enum(["valid", "expiring", "expired"]),
  caFingerprint: z.string(),
});

const configStatus = z.object({
  epoch: z.int(),
  version: z.int(),
  hash: z.string(),
  note: z.string(),
  scribe: z.string().nullable(),
  grantEpoch: z.int(),
  problem: z.string().nullable(),
});

const peerStatus = z.object({
  id: z.string(),
  name: z.string().nullable(),
  tags: texts,
  addresses: texts,
  meshAddresses: texts,
  link: z.union([sessionKind, z.literal("-")]),
  carrier: z.enum(["fast", "quic", "websocket"]).nullable(),
  latencyMs: z.number().nullable(),
  loss: z.number(),
  hops: z.int(),
  path: texts,
  reason: z.string().nullable(),
  version: z.string(),
  roles: z.array(role),
  capabilities: texts,
  lastSeenSeconds: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
});

/** `GET /api/status`. */
export const statusSchema: z.ZodType<StatusReport> = z.object({
  self: selfStatus,
  certificate: certificateStatus.nullable(),
  peers: z.array(peerStatus),
  plugins: z.array(z.object({
    name: z.string(),
    state: z.enum(["running", "failed", "stopped"]),
    detail: z.string(),
  })),
  config: configStatus.nullable(),
  warnings: z.array(z.object({
    code: z.string(),
    severity: z.enum(["warning", "error"]),
    text: z.string(),
  })),
});

/** `GET /api/health`. */
export const healthSchema: z.ZodType<HealthReport> = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});

/** `GET /api/permissions`. */
export const permissionsSchema = z.object({
  probes: z.array(z.object({ what: z.string(), allowed: z.boolean(), detail: z.string() })),
});

/** `GET /api/ping`. */
export const pingSchema = z.object({ pid: z.int(), version: z.string() });

/** `POST /api/stop`. */
export const stopSchema = z.object({ pid: z.int() });

/** Every error: RFC 9457, with pulse's stable code. */
export const problemSchema = z.object({
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  fields: z.record(z.string(), z.unknown()).optional(),
});

const apiKeyRole = z.enum(["admin", "read"]);

/** A key as it is listed. */
export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  role: apiKeyRole,
  createdAt: z.string(),
  endsAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});

/** `GET /api/api-keys`. */
export const apiKeysSchema = z.object({ keys: z.array(apiKeySchema) });

/** A key that has just been made: the only time its text is seen. */
export const newApiKeySchema = apiKeySchema.extend({ key: z.string() });

/** `POST /api/api-keys`. */
export const createApiKeySchema = z.strictObject({
  // Nothing that a terminal or a log could mistake for more than text.
  name: z.string().max(64).regex(/^[A-Za-z0-9 ._@-]*$/).default(""),
  role: apiKeyRole.default("admin"),
});

/** `POST /api/api-keys/{id}/rotate`. */
export const rotateApiKeySchema = z.strictObject({
  /** Null: the old key works until it is revoked. */
  overlapSeconds: z.int().min(0).max(31_536_000).nullable().default(86_400),
});

/** `{id}` of a key. */
export const apiKeyParams = z.object({ id: z.string().regex(/^[0-9a-f]{12}$/) });
