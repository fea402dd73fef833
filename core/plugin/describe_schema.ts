import { z } from "zod";
import type { Json } from "./types.ts";

/**
 * What a schema takes, as OpenAPI writes it, for the routes of plugins. What the schema checks by code is left out: the description
 * forbids less than the schema, never more.
 */
export function describeSchema(schema: z.ZodType): Json {
  const { $schema: _, ...description } = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-2020-12",
    reused: "inline",
    unrepresentable: "any",
  });
  // Plain data: it goes through a Worker's boundary.
  return JSON.parse(JSON.stringify(description));
}
