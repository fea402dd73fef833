import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import type { PluginApiRoute } from "../plugin/types.ts";
import { type Access, coreAccess } from "./authorisation.ts";
import { openApiPath, pathParameters } from "./plugin_routes.ts";

/** An OpenAPI 3.1 document. */
export type ApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

const scheme = "apiKey";

/**
 * Adds what the schemas of core's routes do not say: who may call which route, and the plugins' routes. Plugins come and go while the
 * app stays, so this is done when somebody asks.
 */
export function completeDocument(
  document: ApiDocument,
  prefix: string,
  routes: readonly PluginApiRoute[],
): ApiDocument {
  const paths: NonNullable<ApiDocument["paths"]> = {};
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    const complete: Record<string, unknown> = {};
    for (const [method, operation] of Object.entries(item)) {
      const access = coreAccess.get(`${method.toUpperCase()} ${honoPath(path)}`);
      complete[method] = { ...operation, ...securityOf(access) };
    }
    paths[path] = complete;
  }
  const problem = document.paths?.["/api/ping"]?.get?.responses?.["default"];
  for (const route of routes) {
    const path = openApiPath(prefix + route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: pluginOperation(route, problem) };
  }
  return {
    ...document,
    paths,
    components: {
      ...document.components,
      securitySchemes: {
        [scheme]: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "plk_<id>_<secret>",
          description: "Over the network. The unix socket needs none.",
        },
      },
    },
  };
}

/** `/tokens/{id}` as it is registered: `/tokens/:id`. */
export function honoPath(path: string): string {
  return path.replace(/\{([A-Za-z]\w*)\}/g, ":$1");
}

function pluginOperation(route: PluginApiRoute, problem: unknown) {
  return {
    summary: route.summary,
    ...securityOf(route.access ?? "admin"),
    parameters: [
      ...pathParameters(route.path).map((name) => ({
        name,
        in: "path" as const,
        required: true,
        schema: { type: "string" as const },
      })),
      ...queryParameters(route),
    ],
    ...(route.method === "POST" || route.method === "PUT"
      ? { requestBody: { content: { "application/json": { schema: route.body ?? {} } } } }
      : {}),
    responses: {
      "2XX": { description: "As the plugin says", content: { "application/json": { schema: {} } } },
      default: problem,
    },
  };
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.unknown()),
  required: z.array(z.string()).default([]),
});

function queryParameters({ method, query }: PluginApiRoute) {
  const schema = objectSchema.safeParse(query);
  if (!schema.success) return [];
  const { properties, required } = schema.data;
  return Object.entries(properties).map(([name, one]) => ({
    name,
    in: "query" as const,
    // What `DELETE` needs may stand in its body as well.
    required: method === "GET" && required.includes(name),
    schema: one,
  }));
}

/** OpenAPI can say that a key is needed. `x-access` says which kind, or that none is enough. */
function securityOf(access: Access | undefined) {
  const key = { [scheme]: [] };
  const security = access === "open" ? [{}, key] : [key];
  return { security, "x-access": access ?? "local" };
}
