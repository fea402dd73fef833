import assert from "node:assert/strict";
import { join } from "node:path";
import tls from "node:tls";
import { formatHostPort } from "../address/mod.ts";
import { createTestCa } from "../identity/testing.ts";
import type { PluginApiRoute } from "../plugin/types.ts";
import { ApiKeyStore } from "./api_key_store.ts";
import { type NetworkServer, serveNetwork, type ServeNetworkOptions } from "./network_server.ts";
import { sampleControl } from "./testing.ts";
import { TunnelPorts } from "./tunnel_ports.ts";

interface Context {
  readonly server: NetworkServer;
  readonly url: string;
  readonly keys: ApiKeyStore;
  readonly tunnels: TunnelPorts;
  /** What reached a route that changes something. */
  readonly done: string[];
  /** One request in raw text; everything that comes back until the end. */
  raw(text: string): Promise<string>;
}

async function withServer(
  changes: Partial<ServeNetworkOptions>,
  run: (context: Context) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const keys = new ApiKeyStore(join(dir, "api-keys.json"), () => Date.now());
    const tunnels = new TunnelPorts(() => performance.now());
    const done: string[] = [];
    const route: PluginApiRoute = {
      method: "POST",
      path: "/things/:id",
      summary: "",
      handle: ({ params, body, by, ifMatch }) => {
        done.push(params["id"] ?? "");
        return Promise.resolve({
          status: 200,
          body: { body, by: by ?? "", ifMatch: ifMatch ?? "" },
          etag: "2",
        });
      },
    };
    await using server = await serveNetwork({
      listen: { host: "127.0.0.1", port: 0 },
      names: ["pulse.example.com"],
      certificate: null,
      control: sampleControl({
        pluginRoutes: () => [route, {
          ...route,
          method: "GET",
          access: "read",
          handle: () => Promise.resolve({ status: 200, body: "seen", etag: "1" }),
        }],
      }),
      apiKeys: keys,
      tunnels,
      log: () => {},
      now: () => performance.now(),
      ...changes,
    });
    const scheme = changes.certificate ? "https" : "http";
    await run({
      server,
      keys,
      tunnels,
      done,
      url: `${scheme}://${formatHostPort(server.address)}`,
      raw: (text) => sendRaw(server, text),
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function sendRaw(server: NetworkServer, text: string): Promise<string> {
  const { host, port } = server.address;
  using conn = await Deno.connect({ hostname: host, port });
  await conn.write(new TextEncoder().encode(text));
  return await readAll(conn);
}

async function readAll(conn: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(16 * 1024);
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
  } catch (error) {
    // A server that gives up on a body may reset the connection once it has answered.
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  return text;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function statusOf(url: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return response.status;
}

Deno.test("a key is needed on loopback too, and decides what may be done", async () => {
  await withServer({}, async ({ url, keys, done }) => {
    const none = await fetch(`${url}/api/status`);
    assert.equal(none.status, 401);
    assert.equal(none.headers.get("www-authenticate"), 'Bearer realm="pulse"');
    assert.equal(none.headers.get("content-type"), "application/problem+json");
    assert.equal((await none.json()).code, "API_KEY_REQUIRED");
    const read = await keys.create("r", "read");
    const admin = await keys.create("a", "admin");
    assert.equal(await statusOf(`${url}/api/status`, { headers: bearer(read.key) }), 200);
    const post = (key: string) =>
      fetch(`${url}/api/things/x%20y?q=1`, {
        method: "POST",
        headers: { ...bearer(key), "content-type": "application/json", "if-match": '"1"' },
        body: `{"a":[1]}`,
      });
    const refused = await post(read.key);
    assert.deepEqual([refused.status, (await refused.json()).code], [403, "ROUTE_FORBIDDEN"]);
    assert.deepEqual(done, []);
    const answer = await post(admin.key);
    assert.equal(answer.headers.get("etag"), '"2"');
    assert.deepEqual(await answer.json(), {
      body: { a: [1] },
      by: `key:${admin.id}@127.0.0.1`,
      ifMatch: "1",
    });
    assert.deepEqual(done, ["x y"]);
    const stop = await fetch(`${url}/api/stop`, { method: "POST", headers: bearer(admin.key) });
    assert.deepEqual([stop.status, (await stop.json()).code], [403, "ROUTE_FORBIDDEN"]);
    await keys.revoke(admin.id);
    const late = await post(admin.key);
    assert.deepEqual([late.status, (await late.json()).code], [401, "API_KEY_INVALID"]);
  });
});

Deno.test("every answer forbids what a browser could do with it, and no origin is ever allowed", async () => {
  await withServer({}, async ({ url, keys }) => {
    const { key } = await keys.create("r", "read");
    for (
      const init of [
        {},
        { headers: bearer(key) },
        {
          method: "OPTIONS",
          headers: { origin: "http://evil", "access-control-request-method": "PUT" },
        },
      ]
    ) {
      const response = await fetch(`${url}/api/status`, init);
      await response.body?.cancel();
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.equal(response.headers.get("x-frame-options"), "DENY");
      assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
      const names = [...response.headers.keys()];
      assert.equal(names.some((name) => name.startsWith("access-control")), false);
    }
  });
});

Deno.test("who has what is asked for is told so with 304", async () => {
  await withServer({}, async ({ url, keys }) => {
    const { key } = await keys.create("r", "read");
    const get = (tag: string) =>
      fetch(`${url}/api/things/1`, { headers: { ...bearer(key), "if-none-match": tag } });
    const same = await get('"1"');
    assert.deepEqual([same.status, same.headers.get("etag"), await same.text()], [304, '"1"', ""]);
    assert.equal(await (await get('"0"')).json(), "seen");
  });
});

Deno.test("metrics are open to this machine, and closed to a tunnel that ends here, also when it has just ended", async () => {
  await withServer({}, async ({ server, tunnels, raw }) => {
    const get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert.match(await raw(get), /^HTTP\/1\.1 200 [^]*pulse_peers_total 3/);
    const { host, port } = server.address;
    using conn = await Deno.connect({ hostname: host, port });
    const own = tunnels.open(conn.localAddr.port, "4353");
    own[Symbol.dispose]();
    await conn.write(new TextEncoder().encode(get));
    assert.match(await readAll(conn), /^HTTP\/1\.1 401 /);
  });
});

Deno.test("what is malformed gets a problem and its connection an end", async () => {
  await withServer({ limits: { headMs: 300, requestMs: 600 } }, async ({ keys, raw }) => {
    const { key } = await keys.create("a", "admin");
    const auth = `Host: localhost\r\nAuthorization: Bearer ${key}\r\n`;
    const json = "Content-Type: application/json\r\n";
    const cases: readonly [string, number, string][] = [
      ["nonsense\r\n\r\n", 400, "REQUEST_UNREADABLE"],
      [`GET / HTTP/1.1\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, 431, "HEADER_TOO_LARGE"],
      ["GET /api/status HTTP/1.1\r\nHo", 408, "REQUEST_TIMEOUT"],
      [
        `POST /api/things/1 HTTP/1.1\r\n${auth}${json}Content-Length: 9\r\n\r\n{`,
        408,
        "REQUEST_TIMEOUT",
      ],
      ["GET / HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n", 421, "REQUEST_HOST"],
      ["GET / HTTP/1.0\r\n\r\n", 421, "REQUEST_HOST"],
      [
        "GET http://localhost/api/ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        400,
        "REQUEST_TARGET",
      ],
      [
        `POST /api/things/1 HTTP/1.1\r\n${auth}Content-Type: text/plain\r\nContent-Length: 9\r\n\r\n`,
        415,
        "BODY_MEDIA_TYPE",
      ],
      [
        `POST /api/things/1 HTTP/1.1\r\n${auth}${json}Content-Length: 99999999\r\n\r\n`,
        413,
        "BODY_TOO_LARGE",
      ],
      [
        `POST /api/things/1 HTTP/1.1\r\n${auth}${json}Content-Length: 1\r\nConnection: close\r\n\r\n{`,
        400,
        "BODY_INVALID",
      ],
      [
        `POST /api/things/1 HTTP/1.1\r\nHost: localhost\r\n${json}Content-Length: 99\r\n\r\n`,
        401,
        "API_KEY_REQUIRED",
      ],
      [`GET /no HTTP/1.1\r\n${auth}Connection: close\r\n\r\n`, 404, "ROUTE_UNKNOWN"],
      [`GET //evil.example/x HTTP/1.1\r\n${auth}Connection: close\r\n\r\n`, 404, "ROUTE_UNKNOWN"],
      [`PUT /api/status HTTP/1.1\r\n${auth}Connection: close\r\n\r\n`, 405, "METHOD_NOT_ALLOWED"],
      [`PATCH /api/status HTTP/1.1\r\n${auth}Connection: close\r\n\r\n`, 405, "METHOD_NOT_ALLOWED"],
      [
        `POST / HTTP/1.1\r\n${auth}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        400,
        "REQUEST_UNREADABLE",
      ],
      [
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        400,
        "REQUEST_UPGRADE",
      ],
    ];
    for (const [request, status, code] of cases) {
      const answer = await raw(request);
      const what = `${JSON.stringify(request.slice(0, 60))}: ${answer.slice(0, 200)}`;
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
      assert.match(answer, /content-type: application\/problem\+json\r\n/i, what);
      assert.match(answer, new RegExp(`"code":"${code}"`), what);
    }
  });
});

Deno.test("a chunked body is cut off at the limit", async () => {
  await withServer({}, async ({ keys, url, done }) => {
    const { key } = await keys.create("a", "admin");
    const chunk = new Uint8Array(64 * 1024).fill(32);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ > 20) return controller.close();
        controller.enqueue(chunk);
      },
    });
    const headers = { ...bearer(key), "content-type": "application/json" };
    const status = await statusOf(`${url}/api/things/1`, { method: "POST", headers, body });
    assert.equal(status, 413);
    assert.deepEqual(done, []);
  });
});

Deno.test("beyond the limit a connection takes the place of the oldest without a key, and never of one with a key", async () => {
  await withServer({ limits: { connections: 3 } }, async ({ keys, server, raw }) => {
    const { key } = await keys.create("a", "read");
    const { host, port } = server.address;
    await using held = new AsyncDisposableStack();
    const connect = async () => {
      const conn = await Deno.connect({ hostname: host, port });
      held.defer(() => conn.close());
      return conn;
    };
    const ask = async (conn: Deno.Conn) => {
      const head = `GET /api/ping HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}`;
      await conn.write(new TextEncoder().encode(`${head}\r\n\r\n`));
      const buffer = new Uint8Array(4_096);
      const length = await conn.read(buffer) ?? 0;
      return new TextDecoder().decode(buffer.subarray(0, length));
    };
    const proven = await connect();
    assert.match(await ask(proven), /^HTTP\/1\.1 200 /);
    const get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 3; i++) await connect();
      assert.match(await raw(get), /^HTTP\/1\.1 200 /);
    }
    assert.match(await ask(proven), /^HTTP\/1\.1 200 /);
  });
});

Deno.test("TLS shows the node's certificate, and a renewed one from the next connection on", async () => {
  const ca = await createTestCa("corp");
  const first = await ca.issue();
  const second = await ca.issue();
  let shown = first;
  const certificate = () => ({ key: shown.key.privateKeyPem, cert: shown.certificate.pem });
  await withServer({ certificate }, async ({ server, keys }) => {
    const { key } = await keys.create("r", "read");
    for (const credentials of [first, second]) {
      shown = credentials;
      const socket = tls.connect({
        ...server.address,
        ca: [credentials.anchor.pem],
        servername: `${credentials.certificate.id}.corp.pulse.internal`,
      });
      socket.write(
        `GET /api/ping HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${key}\r\n` +
          "Connection: close\r\n\r\n",
      );
      let text = "";
      for await (const chunk of socket) text += chunk;
      assert.match(text, /^HTTP\/1\.1 200 /);
    }
  });
});

Deno.test("beyond loopback nothing is served without TLS, and a taken address is a typed error", async () => {
  await assert.rejects(
    withServer({ listen: { host: "0.0.0.0", port: 0 } }, () => Promise.resolve()),
    { code: "API_LISTEN", message: /TLS/ },
  );
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(
    withServer({ listen: { host: "127.0.0.1", port: taken.addr.port } }, () => Promise.resolve()),
    { code: "API_LISTEN", message: /--api-listen/ },
  );
});

Deno.test("stopping ends what is open, however slow it is", async () => {
  const stop = new AbortController();
  await withServer({ signal: stop.signal }, async ({ server, url }) => {
    const { host, port } = server.address;
    using slow = await Deno.connect({ hostname: host, port });
    await slow.write(new TextEncoder().encode("GET /api/status HTTP/1.1\r\nHo"));
    assert.equal(await statusOf(`${url}/metrics`), 200);
    stop.abort();
    await server[Symbol.asyncDispose]();
    assert.equal(await readAll(slow), "");
    await assert.rejects(Deno.connect({ hostname: host, port }), Deno.errors.ConnectionRefused);
  });
});
