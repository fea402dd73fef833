import { z } from "zod";
import type {
  Json,
  PluginApiRequest,
  PluginApiResponse,
  PluginApiRoute,
} from "../../../core/plugin/types.ts";

type Handler = (request: PluginApiRequest) => Promise<PluginApiResponse> | PluginApiResponse;

/** What anybody with a key may look at. */
export function readRoute(path: string, summary: string, handle: Handler): PluginApiRoute {
  return make("GET", path, summary, "read", handle);
}

/** What changes something. @param body what the handler takes, for the API's document */
export function adminRoute(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  summary: string,
  handle: Handler,
  body?: z.ZodType,
): PluginApiRoute {
  const route = make(method, path, summary, "admin", handle);
  return body === undefined ? route : { ...route, body: documented(body) };
}

/** A schema as OpenAPI writes it; what zod checks by code is left out, so that it forbids less. */
function documented(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-2020-12",
    reused: "inline",
  });
  return JSON.parse(JSON.stringify(rest));
}

function make(
  method: PluginApiRoute["method"],
  path: string,
  summary: string,
  access: "read" | "admin",
  handle: Handler,
): PluginApiRoute {
  return { method, path, summary, access, handle: async (request) => await handle(request) };
}
