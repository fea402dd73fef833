import { z } from "zod";
import type { NodeId } from "../identity/types.ts";
import { PluginError } from "./errors.ts";
import { isJson } from "./json_value.ts";
import type { Json, PluginApiResponse, PluginMetric } from "./types.ts";

const nodeId = z.string().regex(/^[0-9a-f]{32}$/).optional();

const metric = z.strictObject({
  name: z.string().max(128).regex(/^[a-z_][a-z0-9_]*$/),
  help: z.string().max(300),
  type: z.enum(["gauge", "counter", "untyped"]),
  value: z.number(),
  labels: z.record(z.string().max(64).regex(/^[a-z_][a-z0-9_]*$/), z.string().max(200)).optional(),
});
const metrics = z.array(metric).max(1_000);

const health = z.strictObject({ ok: z.boolean(), detail: z.string().max(1_000) });

const apiResponse = z.strictObject({
  status: z.int().min(200).max(599),
  body: z.custom<Json>(isJson, "is not plain data"),
  // It is sent inside quotes (RFC 9110, section 8.8.3), so a quote or a line break would break out of the header.
  etag: z.string().regex(/^[!#-~]{1,128}$/).optional(),
});

/** What a plugin says of its state. */
export interface PluginHealth {
  readonly ok: boolean;
  /** One sentence for people. */
  readonly detail: string;
}

/** @throws {PluginError} PLUGIN_PROTOCOL, as do all of these */
export function parseNodeIdReply(plugin: string, value: unknown): NodeId | undefined {
  // A function that returns nothing comes back as null from some isolates.
  return parse(nodeId, value ?? undefined, plugin, "resolveName");
}

/** At most 1,000 samples, names as Prometheus wants them: they end up in a text format. */
export function parseMetricsReply(plugin: string, value: unknown): readonly PluginMetric[] {
  return parse(metrics, value, plugin, "metrics") as readonly PluginMetric[];
}

/** A verdict and the text for it. */
export function parseHealthReply(plugin: string, value: unknown): PluginHealth {
  return parse(health, value, plugin, "health");
}

/** An HTTP status and plain data. */
export function parseApiReply(plugin: string, value: unknown): PluginApiResponse {
  const { etag, ...response } = parse(apiResponse, value, plugin, "an API route");
  return etag === undefined ? response : { ...response, etag };
}

/** Plain data; nothing at all counts as null. */
export function parseServiceReply(plugin: string, value: unknown): Json {
  if (value === undefined) return null;
  if (isJson(value)) return value;
  throw new PluginError(
    "PLUGIN_PROTOCOL",
    `plugin ${plugin} answered a service call with something that is not plain data`,
    {
      plugin,
    },
  );
}

function parse<T>(schema: z.ZodType<T>, value: unknown, plugin: string, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new PluginError(
    "PLUGIN_PROTOCOL",
    `plugin ${plugin} answered ${what} wrongly: ${issue?.path.join(".") ?? ""} ${
      issue?.message ?? ""
    }`,
    { plugin },
  );
}
