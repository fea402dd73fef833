import assert from "node:assert/strict";
import fc from "fast-check";
import type { ApiOperation } from "./fixtures/api_document.ts";
import { fits, type JsonSchema, valuesFor } from "./fixtures/json_schema.ts";
import { laptop, server } from "../../plugins/scribe/testing.ts";
import { wholeApi } from "./fixtures/whole_api.ts";

interface Attempt {
  readonly operation: ApiOperation;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const noBody = Symbol("no body");
const jsonType = "application/json";

/** What is likely to mean something, by the name it goes under: a fuzz that is never understood finds little. */
const sensible: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  node: fc.constantFrom(laptop, server, "box"),
  via: fc.constantFrom(laptop, server),
  from: fc.constantFrom("*", "tag:dev", laptop, "1.1", 0),
  to: fc.constantFrom("*", "tag:dev", server, "1.2", 0),
  tag: fc.constantFrom("dev", "site/berlin"),
  name: fc.constantFrom("box", "db", null),
  type: fc.constantFrom("A", "TXT"),
  value: fc.constantFrom("10.0.0.1", "text"),
  cidr: fc.constantFrom("10.7.0.0/16", "192.168.0.0/24"),
  meshCidr: fc.constantFrom("10.96.0.0/11", "10.7.0.0/16"),
  meshIp: fc.constantFrom("10.100.9.9", null),
  pattern: fc.constantFrom("dev", "site", "*"),
  settings: fc.constant({ "log-level": "debug" }),
  config: fc.constant({ "log-level": "debug" }),
  rule: fc.constantFrom({ from: "*", to: "*" }, { from: "tag:dev", to: "*", action: "deny" }),
  assertion: fc.constant({ from: laptop, to: server, port: 22, expect: "allow" }),
  version: fc.constantFrom("1.1", "1.2"),
  index: fc.constantFrom(0, 1),
  port: fc.constantFrom("22", 22),
  ttl: fc.constantFrom("1h", 60),
  ephemeral: fc.constantFrom("10m", 60),
  relays: fc.constant(["r.example:443"]),
  network: fc.constant("corp"),
  limit: fc.constantFrom("1", "100"),
};

/** Some parts of an object replaced by sensible ones. */
function made(value: fc.Arbitrary<unknown>, names: readonly string[]): fc.Arbitrary<unknown> {
  const known = names.filter((name) => Object.hasOwn(sensible, name));
  const hints = fc.record(Object.fromEntries(known.map((name) => [name, sensible[name]!])), {
    requiredKeys: [],
  });
  return fc.oneof(
    value,
    fc.tuple(value, hints).map(([one, more]) =>
      typeof one === "object" && one !== null && !Array.isArray(one) ? { ...one, ...more } : one
    ),
    // Nothing but what is sensible.
    fc.record(Object.fromEntries(known.map((name) => [name, sensible[name]!]))),
  );
}

function bodySchema({ requestBody }: ApiOperation): JsonSchema | undefined {
  return requestBody?.content[jsonType]?.schema;
}

function attempts(operations: readonly ApiOperation[]): fc.Arbitrary<Attempt> {
  return fc.constantFrom(...operations).chain((operation) => {
    const schema = bodySchema(operation);
    const body = fc.oneof(
      { weight: 6, arbitrary: schema === undefined ? fc.constant(noBody) : bodies(schema) },
      { weight: 1, arbitrary: fc.constant(noBody) },
      { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
    );
    const params = fc.record(Object.fromEntries(
      operation.parameters.filter((one) => one.in === "path").map((one) => [
        one.name,
        fc.oneof(
          valuesFor(one.schema),
          one.name === "index" ? fc.constant("0") : sensible["node"]!,
        ),
      ]),
    ));
    const asked = operation.parameters.filter((one) => one.in === "query");
    const properties = Object.fromEntries(asked.map(({ name, schema }) => [name, schema]));
    const known = made(
      fc.record(
        Object.fromEntries(asked.map(({ name, schema }) => [name, valuesFor(schema)])),
        { requiredKeys: [] },
      ),
      Object.keys(properties),
    ).map((all) => textsOf(all as Record<string, unknown>));
    const any = fc.dictionary(
      fc.oneof(fc.constantFrom("limit", "before", "verify", "cursor"), fc.string()),
      fc.oneof(fc.integer().map(String), fc.string({ unit: "binary" })),
      { maxKeys: 3 },
    );
    const query = fc.oneof({ weight: 3, arbitrary: known }, { weight: 1, arbitrary: any });
    return fc.record({ operation: fc.constant(operation), params, query, body });
  });
}

function bodies(schema: JsonSchema): fc.Arbitrary<unknown> {
  return made(valuesFor(schema), Object.keys(schema.properties ?? {}));
}

function textsOf(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, textOf(value)]));
}

/** Not every object has a text of its own. */
function textOf(value: unknown): string {
  return (typeof value === "object" ? JSON.stringify(value) : String(value)).toWellFormed();
}

function toRequest({ operation, params, query, body }: Attempt): Request {
  const path = operation.path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => encodeURIComponent(textOf(params[name])),
  );
  const url = new URL("http://localhost");
  url.pathname = path;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const hasBody = body !== noBody && operation.method !== "GET";
  return new Request(url, {
    method: operation.method,
    ...(hasBody ? { body: JSON.stringify(body), headers: { "content-type": jsonType } } : {}),
  });
}

/** Whether a query's text is one way of writing what a schema allows. */
function fitsText(schema: JsonSchema, text: string): boolean {
  if (fits(schema, text)) return true;
  return /^(-?\d+(\.\d+)?|true|false)$/.test(text) && fits(schema, JSON.parse(text));
}

/** Whether the document forbids what was sent. */
function isForbidden({ operation, params, query, body }: Attempt): boolean {
  const schema = bodySchema(operation);
  if (schema !== undefined) {
    // `null` is JSON for nothing.
    if (
      body === noBody || body === null
        ? operation.requestBody?.required === true
        : !fits(schema, body)
    ) {
      return true;
    }
  }
  return operation.parameters.some((one) => {
    if (one.in === "query") {
      const asked = Object.hasOwn(query, one.name) ? query[one.name] : undefined;
      return asked === undefined ? one.required === true : !fitsText(one.schema, asked);
    }
    const text = textOf(params[one.name]);
    // A segment that is empty or of dots alone makes another path of it.
    return /^\.{0,2}$/.test(text) === false && !fits(one.schema, text);
  });
}

async function checkAnswer(attempt: Attempt, response: Response): Promise<void> {
  const { operation } = attempt;
  const text = await response.text();
  const what = () =>
    `${operation.method} ${response.url}${operation.path} ${
      JSON.stringify({
        params: attempt.params,
        query: attempt.query,
        body: attempt.body === noBody ? "none" : attempt.body,
      })
    }: ${response.status} ${text.slice(0, 300)}`;
  const { responses } = operation;
  const named = responses[`${response.status}`] ??
    (response.ok ? responses["2XX"] : responses["default"]);
  assert.ok(named !== undefined, `undocumented status: ${what()}`);
  assert.ok(response.status < 500 || responses[`${response.status}`] !== undefined, what());
  const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
  const schema = named.content?.[type]?.schema;
  assert.ok(schema !== undefined, `undocumented content type ${type}: ${what()}`);
  const value: unknown = type.includes("json") ? JSON.parse(text) : text;
  assert.ok(fits(schema, value), `not as documented: ${what()}`);
  if (response.ok) assert.equal(isForbidden(attempt), false, `accepted: ${what()}`);
}

Deno.test("whatever is sent where the API's own document points to, the answer is documented, no 5xx, and nothing the schema forbids is accepted", async () => {
  await using api = await wholeApi();
  assert.ok(api.operations.length >= 70, `${api.operations.length} operations`);
  const seen = new Map<string, Set<number>>();
  await fc.assert(
    fc.asyncProperty(attempts(api.operations), async (attempt) => {
      const response = await api.call(toRequest(attempt));
      const name = `${attempt.operation.method} ${attempt.operation.path}`;
      seen.set(name, (seen.get(name) ?? new Set()).add(Math.floor(response.status / 100)));
      await checkAnswer(attempt, response);
    }),
    { numRuns: 2_500 },
  );
  assert.deepEqual(api.surprises, []);
  // It was no fuzz of refusals alone.
  for (const { method, path } of api.operations) {
    assert.ok(seen.has(`${method} ${path}`), `${method} ${path} was never tried`);
  }
  for (const name of ["POST /api/api-keys", "GET /api/ca/log"]) {
    const kinds = [...seen.get(name) ?? []].sort();
    assert.deepEqual(kinds, [2, 4], name);
  }
  const understood = [...seen].filter(([, kinds]) => kinds.has(2));
  assert.ok(understood.length >= 45, `${understood.length} of ${seen.size} were ever understood`);
});

Deno.test("methods, paths and bodies that no document names are refused with a problem", async () => {
  await using api = await wholeApi();
  const paths = fc.oneof(
    fc.constantFrom(...api.operations.map(({ path }) => path.replace(/\{\w+\}/g, "x"))),
    fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }).map((parts) =>
      `/api/${parts.map((part) => encodeURIComponent(part.toWellFormed())).join("/")}`
    ),
    fc.webPath(),
  );
  const methods = fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD");
  const types = fc.constantFrom(jsonType, "text/plain", "application/x-www-form-urlencoded", "");
  await fc.assert(
    fc.asyncProperty(
      paths,
      methods,
      types,
      fc.uint8Array({ maxLength: 200 }),
      async (path, method, type, bytes) => {
        const hasBody = method !== "GET" && method !== "HEAD" && bytes.length > 0;
        const url = new URL("http://localhost");
        url.pathname = path;
        const response = await api.call(
          new Request(url, {
            method,
            ...(hasBody ? { body: new Uint8Array(bytes) } : {}),
            headers: type === "" ? {} : { "content-type": type },
          }),
        );
        const text = await response.text();
        const what = `${method} ${url.pathname} ${type}: ${response.status} ${text.slice(0, 200)}`;
        assert.ok(response.status < 500, what);
        if (response.ok || method === "HEAD") return;
        assert.equal(response.headers.get("content-type"), "application/problem+json", what);
        assert.equal(JSON.parse(text).status, response.status, what);
      },
    ),
    { numRuns: 1_000 },
  );
  assert.deepEqual(api.surprises, []);
});
