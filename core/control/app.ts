import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Next } from "hono";
import { matchedRoutes } from "hono/route";
import type { z } from "zod";
import { version } from "../version.ts";
import { errorText, PulseError } from "../errors/mod.ts";
import type { Json, LogFn } from "../plugin/types.ts";
import { answerInTime } from "./answer_in_time.ts";
import type { ApiKeyInfo, ApiKeyStore } from "./api_key_store.ts";
import { auditMutations } from "./audit_mutations.ts";
import type { Caller } from "./authorisation.ts";
import { coreRoutes } from "./core_routes.ts";
import { ControlError } from "./errors.ts";
import { type AppEnv, guard, pluginPrefix } from "./guard.ts";
import { mountHistoryRoutes } from "./history_routes.ts";
import { completeDocument, honoPath } from "./openapi_document.ts";
import { callPlugin } from "./plugin_call.ts";
import { matchRoute } from "./plugin_routes.ts";
import { makeProblem, problemResponse, toProblem } from "./problem.ts";
import { readJsonBody } from "./request_body.ts";
import type { NodeControl } from "./types.ts";
import { whoAsks } from "./who_asks.ts";

export interface ControlAppOptions {
  readonly control: NodeControl;
  readonly apiKeys: ApiKeyStore;
  readonly log: LogFn;
  /** This process. */
  readonly pid: number;
  /** Largest time for one request, milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** Aborts whatever is being answered. */
  readonly signal: AbortSignal;
}

/** The control API as a function: what a caller gets for a request. */
export type ControlApp = (request: Request, caller: Caller) => Promise<Response>;

/** The control API as a function from request to response: no socket, no timer that outlives its request. */
export function createControlApp(options: ControlAppOptions): ControlApp {
  const { control, apiKeys, log } = options;
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalid(result.error);
    },
  });
  const keyChanged = async (
    c: Context<AppEnv>,
    change: string,
    before: ApiKeyInfo | null,
    after: ApiKeyInfo | null,
  ) =>
    await control.history.recordAudit("change", {
      ...whoAsks(c.env.caller.by),
      change,
      before: keyJson(before),
      after: keyJson(after),
    });
  app.use("*", (c, next) => guard(c, next, control.pluginRoutes()));
  app.use("*", (c, next) => takeBody(c, next, bodies));
  app.openapi(coreRoutes.ping, (c) => c.json({ pid: options.pid, version }, 200));
  app.openapi(coreRoutes.status, (c) => c.json(control.status(), 200));
  app.openapi(coreRoutes.health, async (c) => {
    const report = await control.health();
    return c.json(report, report.ok ? 200 : 503);
  });
  app.openapi(coreRoutes.exits, (c) => c.json(control.exits(), 200));
  app.openapi(
    coreRoutes.permissions,
    async (c) => c.json({ probes: [...await control.probePermissions()] }, 200),
  );
  app.openapi(coreRoutes.stop, (c) => {
    c.env.afterwards.push(() => control.stop());
    return c.json({ pid: options.pid }, 200);
  });
  app.openapi(
    coreRoutes.metrics,
    async (c) =>
      c.text(await control.metrics(c.req.valid("query").names), 200, {
        "content-type": "text/plain; version=0.0.4; charset=utf-8",
      }),
  );
  app.openapi(
    coreRoutes.listApiKeys,
    async (c) => c.json({ keys: await apiKeys.list() }, 200),
  );
  app.openapi(coreRoutes.createApiKey, async (c) => {
    const { name, role } = c.req.valid("json");
    const made = await apiKeys.create(name, role);
    log("info", "API key made", { key: made.id, name, role, by: c.env.caller.by });
    await keyChanged(c, "api_key_created", null, made);
    return c.json(made, 201);
  });
  app.openapi(coreRoutes.rotateApiKey, async (c) => {
    const { id } = c.req.valid("param");
    const { overlapSeconds } = c.req.valid("json");
    const overlapMs = overlapSeconds === null ? null : overlapSeconds * 1000;
    const old = (await apiKeys.list()).find((key) => key.id === id);
    const made = await apiKeys.rotate(id, overlapMs);
    log("info", "API key rotated", { key: made.id, old: id, by: c.env.caller.by });
    await keyChanged(c, "api_key_rotated", old ?? null, made);
    return c.json(made, 201);
  });
  app.openapi(coreRoutes.revokeApiKey, async (c) => {
    const gone = await apiKeys.revoke(c.req.valid("param").id);
    log("info", "API key revoked", { key: gone.id, by: c.env.caller.by });
    await keyChanged(c, "api_key_revoked", gone, null);
    return c.json(gone, 200);
  });
  mountHistoryRoutes(app, control.history, options.signal);
  const describe = () => {
    const info = { title: "pulse control API", version };
    const document = app.getOpenAPI31Document({ openapi: "3.1.0", info });
    return completeDocument(document, pluginPrefix, control.pluginRoutes());
  };
  app.openAPIRegistry.registerPath(coreRoutes.document);
  app.get(coreRoutes.document.path, (c) => c.json(describe()));
  const bodies = routesWithBody(app);
  const own = app.routes.filter(({ method }) => method !== "ALL");
  app.all("*", (c) => {
    const found = c.get("plugin");
    if ("route" in found) return callPlugin(found, c.req.raw, c.env.caller);
    const core = matchRoute(own, c.req.method, c.req.path);
    return refuseUnknown(c.req.raw, [...found, ..."route" in core ? [] : core]);
  });
  app.onError((error) => {
    if (!(error instanceof PulseError)) {
      log("error", "control request failed", { error: errorText(error), stack: error.stack });
    }
    return problemResponse(toProblem(error));
  });
  return async (request, caller) => {
    const afterwards: (() => void)[] = [];
    const answer = (asked: Request) => app.fetch(asked, { caller, afterwards });
    const response = await answerInTime(
      () => auditMutations(request, caller.by, control.history, answer),
      options,
    );
    for (const step of afterwards) step();
    return response;
  };
}

/** Reads the body once, bounded, before anything else looks at it; JSON or nothing. */
async function takeBody(
  c: Context<AppEnv>,
  next: Next,
  required: ReadonlySet<string>,
): Promise<void> {
  const { raw } = c.req;
  const body = raw.method === "GET" || raw.method === "HEAD" ? null : await readJsonBody(raw);
  const core = matchedRoutes(c).find(({ method }) => method !== "ALL");
  const wanted = core !== undefined && required.has(`${core.method} ${core.path}`);
  if (body !== null) {
    c.req.raw = new Request(raw.url, {
      method: raw.method,
      headers: raw.headers,
      body: JSON.stringify(body),
    });
  } else if (wanted) {
    throw new ControlError("BODY_INVALID", `${raw.method} ${c.req.path} takes a JSON object`);
  }
  await next();
}

/** Core routes that take a body: the validator of the HTTP library lets a request without one pass. */
function routesWithBody(app: OpenAPIHono<AppEnv>): ReadonlySet<string> {
  const result = new Set<string>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== "route" || definition.route.request?.body === undefined) continue;
    const { method, path } = definition.route;
    result.add(`${method.toUpperCase()} ${honoPath(path)}`);
  }
  return result;
}

/** A key as the audit log has it: never its text. */
function keyJson(key: ApiKeyInfo | null): Json {
  if (key === null) return null;
  const { id, name, role, endsAt } = key;
  return { id, name, role, endsAt };
}

function invalid(error: z.ZodError): ControlError {
  const issue = error.issues[0];
  const where = issue?.path.join(".") ?? "";
  return new ControlError(
    "REQUEST_INVALID",
    `The request does not fit: ${where === "" ? "" : `${where}: `}${issue?.message ?? ""}`,
  );
}

function refuseUnknown(request: Request, methods: readonly string[]): Response {
  const { pathname } = new URL(request.url);
  if (methods.length === 0) {
    const detail = `This node has no ${request.method} ${pathname}`;
    return problemResponse(makeProblem(404, "ROUTE_UNKNOWN", detail));
  }
  const allow = [...new Set(methods)].sort().join(", ");
  const detail = `${pathname} takes ${allow}`;
  return problemResponse(makeProblem(405, "METHOD_NOT_ALLOWED", detail), { allow });
}
