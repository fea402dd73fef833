import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { ApiKeyStore } from "../../core/control/api_key_store.ts";
import { createControlApp } from "../../core/control/app.ts";
import { localCaller } from "../../core/control/authorisation.ts";
import { sampleControl } from "../../core/control/testing.ts";
import type { HostServices, PluginApiRoute } from "../../core/plugin/types.ts";
import { PulseError } from "../../core/errors/mod.ts";
import ca from "../../plugins/ca/mod.ts";
import { apiDocument, type ApiOperation, operationsOf } from "./fixtures/api_document.ts";
import { fits, type JsonSchema, valuesFor } from "./fixtures/json_schema.ts";

interface Fuzzed extends AsyncDisposable {
  readonly operations: readonly ApiOperation[];
  call(request: Request): Promise<Response>;
  /** Errors the app did not expect. */
  readonly surprises: string[];
}

const refuse = () => Promise.reject(new PulseError("NODE_UNKNOWN", "nobody is here"));
const host: HostServices = {
  self: () =>
    Promise.resolve({ id: "", network: "corp", addresses: ["ca.example:443"], joined: true }),
  peers: () => Promise.resolve([]),
  resolveNode: refuse,
  openStream: refuse,
  call: refuse,
  emit: () => {},
};

/** The real app over the real CA plugin, on new directories. */
async function setup(): Promise<Fuzzed> {
  const resources = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir();
  resources.defer(() => Deno.remove(dir, { recursive: true }));
  const stop = new AbortController();
  const log = () => {};
  const config = { token: "a long enough master token" };
  const dataDir = join(dir, "ca");
  await Deno.mkdir(dataDir);
  const hooks = await ca({ name: "ca", config, dataDir, host, log, signal: stop.signal });
  resources.defer(async () => {
    stop.abort();
    await hooks.onStop?.();
  });
  const routes: readonly PluginApiRoute[] = hooks.apiRoutes ?? [];
  const surprises: string[] = [];
  const apiKeys = new ApiKeyStore(join(dir, "api-keys.json"), () => Date.now());
  // Something that paths with an id may hit.
  await apiKeys.create("first", "admin");
  const app = createControlApp({
    control: sampleControl({ pluginRoutes: () => routes }),
    apiKeys,
    log: (level, message, fields) => {
      if (level === "error") surprises.push(`${message} ${JSON.stringify(fields)}`);
    },
    pid: 1,
    signal: stop.signal,
  });
  const call = (request: Request) => app(request, localCaller);
  const answer = await call(new Request("http://localhost/openapi.json"));
  const document = apiDocument.parse(await answer.json());
  return {
    operations: operationsOf(document),
    call,
    surprises,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

interface Attempt {
  readonly operation: ApiOperation;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const noBody = Symbol("no body");
const jsonType = "application/json";

function bodySchema({ requestBody }: ApiOperation): JsonSchema | undefined {
  return requestBody?.content[jsonType]?.schema;
}

function attempts(operations: readonly ApiOperation[]): fc.Arbitrary<Attempt> {
  return fc.constantFrom(...operations).chain((operation) => {
    const schema = bodySchema(operation);
    const body = fc.oneof(
      { weight: 6, arbitrary: schema === undefined ? fc.constant(noBody) : valuesFor(schema) },
      { weight: 1, arbitrary: fc.constant(noBody) },
      { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
    );
    const params = fc.record(Object.fromEntries(
      operation.parameters.filter((one) => one.in === "path").map((one) => [
        one.name,
        valuesFor(one.schema),
      ]),
    ));
    const query = fc.dictionary(
      fc.oneof(fc.constantFrom("limit", "before", "verify", "cursor"), fc.string()),
      fc.oneof(fc.integer().map(String), fc.string({ unit: "binary" })),
      { maxKeys: 3 },
    );
    return fc.record({ operation: fc.constant(operation), params, query, body });
  });
}

function toRequest({ operation, params, query, body }: Attempt): Request {
  const path = operation.path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => encodeURIComponent(String(params[name]).toWellFormed()),
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

/** Whether the document forbids what was sent. */
function isForbidden({ operation, params, body }: Attempt): boolean {
  const schema = bodySchema(operation);
  if (schema !== undefined) {
    if (body === noBody ? operation.requestBody?.required === true : !fits(schema, body)) {
      return true;
    }
  }
  return operation.parameters.some((one) => {
    const text = String(params[one.name]).toWellFormed();
    // A segment that is empty or of dots alone makes another path of it.
    return one.in === "path" && /^\.{0,2}$/.test(text) === false && !fits(one.schema, text);
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
  await using api = await setup();
  assert.ok(api.operations.length >= 18);
  const seen = new Map<string, Set<number>>();
  await fc.assert(
    fc.asyncProperty(attempts(api.operations), async (attempt) => {
      const response = await api.call(toRequest(attempt));
      const name = `${attempt.operation.method} ${attempt.operation.path}`;
      seen.set(name, (seen.get(name) ?? new Set()).add(Math.floor(response.status / 100)));
      await checkAnswer(attempt, response);
    }),
    { numRuns: 1_500 },
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
});

Deno.test("methods, paths and bodies that no document names are refused with a problem", async () => {
  await using api = await setup();
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
