import assert from "node:assert/strict";
import { z } from "zod";
import { describeSchema } from "./describe_schema.ts";

Deno.test("a description says what may be sent, not what becomes of it", () => {
  const schema = z.strictObject({
    node: z.string().min(1).max(20),
    ports: z.string().regex(/^\d+$/).transform(Number).pipe(z.int().max(9)).default(7),
    index: z.union([z.int().min(0), z.string().max(7).transform(Number)]).optional(),
    gone: z.null().or(z.boolean()),
    when: z.date().optional(),
  }).transform((all) => Object.keys(all));
  assert.deepEqual(describeSchema(schema), {
    type: "object",
    properties: {
      node: { type: "string", minLength: 1, maxLength: 20 },
      ports: { type: "string", pattern: "^\\d+$" },
      index: {
        anyOf: [
          { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          { type: "string", maxLength: 7 },
        ],
      },
      gone: { type: ["null", "boolean"] },
      when: {},
    },
    required: ["node", "gone"],
    additionalProperties: false,
  });
});

Deno.test("a description can go to another isolate", () => {
  const description = describeSchema(z.record(z.string().max(3), z.string()));
  assert.deepEqual(structuredClone(description), description);
});
