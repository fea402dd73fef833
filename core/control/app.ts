import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { version } from "../version.ts";
import { errorText, PulseError } from "../errors/mod.ts";
import type { LogFn, PluginApiRoute } from "../plugin/types.ts";
import { auditMutations } from "./audit_mutations.ts";
import { mountHistoryRoutes } from "./history_routes.ts";
import { matchRoute, openApiPath, pathParameters } from "./plugin_routes.ts";
import { makeProblem, problemResponse, toProblem } from "./problem.ts";
import { readJsonBody } from "./request_body.ts";
import {
  permissionsSchema,
  pingSchema,
  problemSchema,
  statusSchema,
  stopSchema,
} from "./schema.ts";
import type { NodeControl } from "./types.ts";

export interface ControlAppOptions {
  readonly control: NodeControl;
  readonly log: LogFn;
  /** This process. */
  readonly pid: number;
  /** Largest time for one request, milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** Aborts whatever is being answered. */
  readonly signal: AbortSignal;
}

const prefix = "/api";

/** The control API as a function from request to response: no socket, no timer that outlives its request. */
export function createControlApp(
  options: ControlAppOptions,
): (request: Request) => Promise<Response> {
  const { control, log } = options;
  const app = new OpenAPIHono();
  app.openapi(
    jsonRoute("get", "/api/ping", "Is it alive", pingSchema),
    (c) => c.json({ pid: options.pid, version }, 200),
  );
  app.openapi(
    jsonRoute("get", "/api/status", "The node and its mesh now", statusSchema),
    (c) => c.json(control.status(), 200),
  );
  app.openapi(
    jsonRoute(
      "get",
      "/api/permissions",
      "What the process may do, tried from inside",
      permissionsSchema,
    ),
    async (c) => c.json({ probes: [...await control.probePermissions()] }, 200),
  );
  app.openapi(jsonRoute("post", "/api/stop", "Begins an orderly stop", stopSchema), (c) => {
    control.stop();
    return c.json({ pid: options.pid }, 200);
  });
  app.openapi(metricsRoute, async (c) =>
    c.text(await control.metrics(), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    }));
  mountHistoryRoutes(app, control.history, options.signal);
  const describe = () =>
    withPluginRoutes(
      app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "pulse control API", version } }),
      control.pluginRoutes(),
    );
  app.get("/openapi.json", (c) => c.json(describe()));
  app.all(`${prefix}/*`, (c) => callPlugin(control.pluginRoutes(), c.req.raw));
  app.notFound((c) => problemResponse(noRoute(c.req.method, c.req.path)));
  app.onError((error) => {
    if (!(error instanceof PulseError)) {
      log("error", "control request failed", { error: errorText(error), stack: error.stack });
    }
    return problemResponse(toProblem(error));
  });
  return (request) => answerInTime(app, request, options);
}

/** When the node stops, what is being answered (the stop itself, for one) has so long to get done. */
const stopGraceMs = 500;

/** The handler goes on when time is up, but its caller is told and its answer is dropped. */
async function answerInTime(
  app: OpenAPIHono,
  request: Request,
  options: ControlAppOptions,
): Promise<Response> {
  const { promise: late, resolve } = Promise.withResolvers<Response>();
  const giveUp = (status: number, code: string, detail: string) =>
    resolve(problemResponse(makeProblem(status, code, detail)));
  const limit = options.requestTimeoutMs ?? 30_000;
  const timers = [
    setTimeout(() => giveUp(504, "REQUEST_TIMEOUT", `No answer within ${limit} ms`), limit),
  ];
  const stopping = () => {
    timers.push(
      setTimeout(() => giveUp(503, "NODE_STOPPING", "The node is stopping"), stopGraceMs),
    );
  };
  if (options.signal.aborted) stopping();
  else options.signal.addEventListener("abort", stopping, { once: true });
  try {
    const { history } = options.control;
    const answer = auditMutations(request, "local", history, (asked) => app.fetch(asked));
    return await Promise.race([answer, late]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    options.signal.removeEventListener("abort", stopping);
  }
}

async function callPlugin(routes: readonly PluginApiRoute[], request: Request): Promise<Response> {
  const url = new URL(request.url);
  const found = matchRoute(routes, request.method, url.pathname.slice(prefix.length));
  if (!("route" in found)) {
    if (found.length === 0) return problemResponse(noRoute(request.method, url.pathname));
    const problem = makeProblem(
      405,
      "METHOD_NOT_ALLOWED",
      `${url.pathname} takes ${found.join(", ")}`,
    );
    return problemResponse(problem);
  }
  const response = await found.route.handle({
    params: found.params,
    query: Object.fromEntries(url.searchParams),
    body: await readJsonBody(request),
  });
  if (response.status === 204) return new Response(null, { status: 204 });
  return Response.json(response.body, { status: response.status });
}

function noRoute(method: string, path: string) {
  return makeProblem(404, "ROUTE_UNKNOWN", `This node has no ${method} ${path}`);
}

const problemContent = {
  description: "An error, RFC 9457",
  content: { "application/problem+json": { schema: problemSchema } },
};

function jsonRoute<Schema extends z.ZodType, Method extends "get" | "post">(
  method: Method,
  path: string,
  summary: string,
  schema: Schema,
) {
  return createRoute({
    method,
    path,
    summary,
    responses: {
      200: { description: summary, content: { "application/json": { schema } } },
      default: problemContent,
    },
  });
}

const metricsRoute = createRoute({
  method: "get",
  path: "/metrics",
  summary: "Prometheus text exposition",
  responses: { 200: { description: "Samples", content: { "text/plain": { schema: z.string() } } } },
});

type Document = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

/** Plugins come and go while the app stays, so their routes are described when somebody asks. */
function withPluginRoutes(document: Document, routes: readonly PluginApiRoute[]): Document {
  const paths: NonNullable<Document["paths"]> = { ...document.paths };
  for (const route of routes) {
    const path = openApiPath(prefix + route.path);
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: {
        summary: route.summary,
        parameters: pathParameters(route.path).map((name) => ({
          name,
          in: "path",
          required: true,
          schema: { type: "string" },
        })),
        responses: { default: { description: "As the plugin says" } },
      },
    };
  }
  return { ...document, paths };
}
