import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import {
  apiKeyParams,
  apiKeySchema,
  apiKeysSchema,
  createApiKeySchema,
  exitsSchema,
  healthSchema,
  newApiKeySchema,
  permissionsSchema,
  pingSchema,
  problemSchema,
  rotateApiKeySchema,
  statusSchema,
  stopSchema,
} from "./schema.ts";

/** Any error. */
export const problemContent = {
  description: "An error, RFC 9457",
  content: { "application/problem+json": { schema: problemSchema } },
};

function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

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
    responses: { 200: answer(summary, schema), default: problemContent },
  });
}

function bodyOf<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

/** Core's routes as the OpenAPI document describes them; what they do is in `app.ts`, who may call them in `authorisation.ts`. */
export const coreRoutes = {
  ping: jsonRoute("get", "/api/ping", "Is it alive", pingSchema),
  status: jsonRoute("get", "/api/status", "The node and its mesh now", statusSchema),
  health: createRoute({
    method: "get",
    path: "/api/health",
    summary: "Whether the node and its plugins do their work",
    responses: {
      200: answer("They do", healthSchema),
      503: answer("Something does not", healthSchema),
      default: problemContent,
    },
  }),
  exits: jsonRoute(
    "get",
    "/api/exits",
    "The routes out of the mesh as this node sees them",
    exitsSchema,
  ),
  permissions: jsonRoute(
    "get",
    "/api/permissions",
    "What the process may do, tried from inside",
    permissionsSchema,
  ),
  stop: jsonRoute("post", "/api/stop", "Begins an orderly stop", stopSchema),
  metrics: createRoute({
    method: "get",
    path: "/metrics",
    summary: "Prometheus text exposition",
    request: { query: z.strictObject({ names: z.enum(["all", "clean"]).default("all") }) },
    responses: {
      200: { description: "Samples", content: { "text/plain": { schema: z.string() } } },
      default: problemContent,
    },
  }),
  document: jsonRoute(
    "get",
    "/openapi.json",
    "This document",
    z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) }),
  ),
  listApiKeys: jsonRoute("get", "/api/api-keys", "List the API keys", apiKeysSchema),
  createApiKey: createRoute({
    method: "post",
    path: "/api/api-keys",
    summary: "Make an API key",
    request: { body: bodyOf(createApiKeySchema) },
    responses: { 201: answer("The key, shown once", newApiKeySchema), default: problemContent },
  }),
  rotateApiKey: createRoute({
    method: "post",
    path: "/api/api-keys/{id}/rotate",
    summary: "Replace an API key",
    request: { params: apiKeyParams, body: bodyOf(rotateApiKeySchema) },
    responses: { 201: answer("The key, shown once", newApiKeySchema), default: problemContent },
  }),
  revokeApiKey: createRoute({
    method: "delete",
    path: "/api/api-keys/{id}",
    summary: "Withdraw an API key",
    request: { params: apiKeyParams },
    responses: { 200: answer("The key that was", apiKeySchema), default: problemContent },
  }),
} as const;
