import type { z } from "zod";
import { describeSchema } from "../../../core/plugin/describe_schema.ts";
import type {
  PluginApiRequest,
  PluginApiResponse,
  PluginApiRoute,
} from "../../../core/plugin/types.ts";

type Handler = (request: PluginApiRequest) => Promise<PluginApiResponse> | PluginApiResponse;

/** What the handler of a route takes, for the API's document. */
export interface Takes {
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
}

/** What every API key may ask. */
export function readRoute(
  path: string,
  summary: string,
  handle: Handler,
  query?: z.ZodType,
): PluginApiRoute {
  return make("GET", path, summary, "read", handle, query === undefined ? {} : { query });
}

/** What changes something. */
export function adminRoute(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  summary: string,
  handle: Handler,
  takes: Takes,
): PluginApiRoute {
  return make(method, path, summary, "admin", handle, takes);
}

function make(
  method: PluginApiRoute["method"],
  path: string,
  summary: string,
  access: "read" | "admin",
  handle: Handler,
  { body, query }: Takes,
): PluginApiRoute {
  return {
    method,
    path,
    summary,
    access,
    ...(body !== undefined && { body: describeSchema(body) }),
    ...(query !== undefined && { query: describeSchema(query) }),
    // An async function: what is refused at once is a rejection, not a throw.
    handle: async (request) => await handle(request),
  };
}
