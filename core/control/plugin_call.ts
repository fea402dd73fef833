import type { PluginApiRoute } from "../plugin/types.ts";
import type { Caller } from "./authorisation.ts";
import { ifMatchOf, isNotModified } from "./headers.ts";
import type { RouteMatch } from "./plugin_routes.ts";
import { readJsonBody } from "./request_body.ts";

/** Runs a plugin's route for a caller who may call it. @throws {PulseError} */
export async function callPlugin(
  { route, params }: RouteMatch<PluginApiRoute>,
  request: Request,
  caller: Caller,
): Promise<Response> {
  const ifMatch = ifMatchOf(request.headers);
  const { status, body, etag } = await route.handle({
    params,
    query: Object.fromEntries(new URL(request.url).searchParams),
    body: await readJsonBody(request),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    by: caller.by,
  });
  const headers = etag === undefined ? {} : { etag: `"${etag}"` };
  if (etag !== undefined && request.method === "GET" && isNotModified(request.headers, etag)) {
    return new Response(null, { status: 304, headers });
  }
  if (bodiless.has(status)) return new Response(null, { status, headers });
  return Response.json(body, { status, headers });
}

/** Statuses whose answers have no body (RFC 9110, section 6.4.1); `Response` throws when it is given one. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);
