import assert from "node:assert/strict";
import { join } from "node:path";
import { ApiKeyStore } from "../../core/control/api_key_store.ts";
import { serveNetwork } from "../../core/control/network_server.ts";
import { sampleControl } from "../../core/control/testing.ts";
import { TunnelPorts } from "../../core/control/tunnel_ports.ts";
import type { PluginApiRoute } from "../../core/plugin/types.ts";
import { labTest } from "../lab/mod.ts";
import { openInBrowser } from "./fixtures/browser.ts";
import { crossSitePage, type PageReport, rebindingPage } from "./fixtures/hostile_pages.ts";
import { TcpSwitch } from "./fixtures/tcp_switch.ts";
import { within } from "./fixtures/within.ts";

/** Everything that reached a route, whoever sent it. */
function recordingRoutes(reached: string[]): PluginApiRoute[] {
  return (["GET", "POST", "PUT", "DELETE"] as const).map((method) => ({
    method,
    path: "/things/:id",
    summary: "",
    access: "read",
    handle: ({ params }) => {
      reached.push(`${method} ${params["id"]}`);
      return Promise.resolve({ status: 200, body: "secret" });
    },
  }));
}

labTest(
  "a hostile page in a real browser changes nothing and reads nothing, nor does one that rebinds its name, even with a stolen key",
  { commands: ["chromium"] },
  async () => {
    const dir = await Deno.makeTempDir();
    await using resources = new AsyncDisposableStack();
    resources.defer(() => Deno.remove(dir, { recursive: true }));
    const apiKeys = new ApiKeyStore(join(dir, "api-keys.json"), () => Date.now());
    const { key } = await apiKeys.create("stolen", "admin");
    const reached: string[] = [];
    const api = resources.use(
      await serveNetwork({
        listen: { host: "127.0.0.1", port: 0 },
        names: [],
        certificate: null,
        control: sampleControl({ pluginRoutes: () => recordingRoutes(reached) }),
        apiKeys,
        tunnels: new TunnelPorts(() => performance.now()),
        log: () => {},
        now: () => performance.now(),
      }),
    );
    const target = resources.use(new TcpSwitch(api.address.port));
    const reports = {
      "cross-site": Promise.withResolvers<PageReport>(),
      rebinding: Promise.withResolvers<PageReport>(),
    };
    const site: { port: number; rebound?: TcpSwitch } = { port: 0 };
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        const headers = { "content-type": "text/html" };
        const rebindUrl = `http://evil.example:${site.rebound?.port}/rebinding`;
        if (pathname === "/") {
          return new Response(
            crossSitePage(`http://127.0.0.1:${target.port}`, key, rebindUrl),
            { headers },
          );
        }
        if (pathname === "/rebinding") {
          const report = `http://attacker.example:${site.port}/report/rebinding`;
          return new Response(rebindingPage(report, key), { headers });
        }
        if (pathname === "/turn") site.rebound?.turn(api.address.port);
        if (pathname === "/report/cross-site") {
          reports["cross-site"].resolve(await request.json());
        }
        if (pathname === "/report/rebinding") reports.rebinding.resolve(await request.json());
        return new Response(null, { status: 204, headers });
      },
    );
    resources.defer(() => server.shutdown());
    site.port = server.addr.port;
    const rebound = site.rebound = resources.use(new TcpSwitch(server.addr.port));
    const browser = resources.use(
      await openInBrowser(`http://attacker.example:${server.addr.port}/`, [
        "MAP evil.example 127.0.0.1",
        "MAP attacker.example 127.0.0.1",
        "MAP localhost 127.0.0.1",
      ]),
    );
    const both = Promise.all([reports["cross-site"].promise, reports.rebinding.promise]);
    const [crossSite, rebinding] = await within("both pages report", both, 90_000)
      .catch((error) => {
        throw new Error(`${error}\n${browser.errors()}`, { cause: error });
      });
    assert.equal(Object.keys(crossSite).length, 30, JSON.stringify(crossSite));
    assert.equal(Object.keys(rebinding).length, 7);
    for (const [attempt, outcome] of Object.entries({ ...crossSite, ...rebinding })) {
      assert.doesNotMatch(outcome, /^read|loaded|pulse_|secret/, `${attempt}: ${outcome}`);
    }
    // Refused by the node, not by chance: what could be sent did arrive.
    for (const line of ["GET /metrics", "POST /api/things/text", "POST /api/things/form"]) {
      assert.ok(target.asked.some((asked) => asked.startsWith(line)), `${line}: ${target.asked}`);
    }
    for (const attempt of ["get", "get key", "post key"]) {
      assert.match(rebinding[attempt] ?? "", /REQUEST_HOST/, attempt);
    }
    assert.ok(rebound.asked.some((asked) => asked.startsWith("POST /api/things/key")));
    assert.deepEqual(reached, []);
    // The very same request from a program that is no browser is answered.
    const own = await fetch(`http://127.0.0.1:${target.port}/api/things/own`, {
      headers: { authorization: `Bearer ${key}` },
    });
    assert.equal(await own.json(), "secret");
  },
);
