import type {
  PluginApiRequest,
  PluginApiResponse,
  PluginApiRoute,
} from "../../../core/plugin/types.ts";

type Handler = (request: PluginApiRequest) => Promise<PluginApiResponse> | PluginApiResponse;

/** What anybody with a key may look at. */
export function readRoute(path: string, summary: string, handle: Handler): PluginApiRoute {
  return make("GET", path, summary, "read", handle);
}

/** What changes something. */
export function adminRoute(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  summary: string,
  handle: Handler,
): PluginApiRoute {
  return make(method, path, summary, "admin", handle);
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
