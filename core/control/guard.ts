import type { Context, Next } from "hono";
import { matchedRoutes } from "hono/route";
import type { PluginApiRoute } from "../plugin/types.ts";
import { type Access, authorise, type Caller, coreAccess } from "./authorisation.ts";
import { keyRequired } from "./key_required.ts";
import { matchRoute, type RouteMatch } from "./plugin_routes.ts";
import { makeProblem, problemResponse } from "./problem.ts";

/** What goes along with a request through the app. */
export interface AppEnv {
  readonly Bindings: {
    readonly caller: Caller;
    /** Done when the answer is complete and in the audit log: what would end the node before. */
    readonly afterwards: (() => void)[];
  };
  /** The plugin's route the request is for, or the methods its path does have. */
  Variables: { plugin: RouteMatch<PluginApiRoute> | readonly string[] };
}

/** Plugins' routes live below this. */
export const pluginPrefix = "/api";

/**
 * Lets nobody past whom the table does not let past. The decision is about the handler that will really run, not about the path as it was
 * written: escapes and doubled slashes cannot make the two differ.
 */
export async function guard(
  c: Context<AppEnv>,
  next: Next,
  routes: readonly PluginApiRoute[],
): Promise<Response | void> {
  const core = matchedRoutes(c).find(({ method }) => method !== "ALL");
  const found = core === undefined && c.req.path.startsWith(`${pluginPrefix}/`)
    ? matchRoute(routes, c.req.method, c.req.path.slice(pluginPrefix.length))
    : [];
  c.set("plugin", found);
  let access: Access | undefined;
  if (core !== undefined) access = coreAccess.get(`${core.method} ${core.path}`);
  else if ("route" in found) access = found.route.access ?? "admin";
  const verdict = authorise(access, c.env.caller);
  if (verdict === "unauthenticated") return keyRequired();
  const exists = core !== undefined || "route" in found;
  // Whoever has a key may know that there is no such route.
  if (verdict === "allowed" || !exists) return await next();
  return problemResponse(makeProblem(
    403,
    "ROUTE_FORBIDDEN",
    access === "admin"
      ? `${c.req.method} ${c.req.path} takes an admin key, and this one is read-only`
      : `${c.req.method} ${c.req.path} is answered on the unix socket of the node alone`,
  ));
}
