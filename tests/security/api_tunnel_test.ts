import assert from "node:assert/strict";
import { join } from "node:path";
import { ApiKeyStore } from "../../core/control/api_key_store.ts";
import { serveNetwork } from "../../core/control/network_server.ts";
import { sampleControl } from "../../core/control/testing.ts";
import { TunnelPorts } from "../../core/control/tunnel_ports.ts";
import { createTestCa } from "../../core/identity/testing.ts";
import type { Node } from "../../core/node/node.ts";
import { startTestNode, until } from "../../core/node/testing.ts";
import type { PluginApiRoute } from "../../core/plugin/types.ts";

/** One request through the mesh to a port of another node's loopback; the whole answer. */
async function ask(from: Node, destination: string, port: number, request: string) {
  const target = `127.0.0.1:${port}`;
  await using stream = await from.openStream({ destination, protocol: "tcp", target, port });
  await stream.write(new TextEncoder().encode(`${request}Connection: close\r\n\r\n`));
  let text = "";
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    text += new TextDecoder().decode(chunk);
  }
  return text;
}

Deno.test("through a tunnel that ends at its loopback a node's API takes a key for everything, and knows who is behind it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const now = () => performance.now();
    const tunnels = new TunnelPorts(now);
    const apiKeys = new ApiKeyStore(join(dir, "api-keys.json"), () => Date.now());
    const who: PluginApiRoute = {
      method: "GET",
      path: "/who",
      summary: "",
      access: "read",
      handle: ({ by }) => Promise.resolve({ status: 200, body: by ?? null }),
    };
    await using api = await serveNetwork({
      listen: { host: "127.0.0.1", port: 0 },
      names: [],
      certificate: null,
      control: sampleControl({ pluginRoutes: () => [who] }),
      apiKeys,
      tunnels,
      log: () => {},
      now,
    });
    const ca = await createTestCa();
    await using scribe = await startTestNode(await ca.issue(), {
      targets: {
        any: true,
        allowsLocalPort: () => true,
        opened: (port, origin) => tunnels.open(port, origin),
      },
    });
    const peers = [scribe.node.listeners.address];
    await using other = await startTestNode(await ca.issue(), { peers });
    await until("a path", () => "paths" in other.node.paths(scribe.node.id));
    const { port } = api.address;
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;

    const direct = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.deepEqual([direct.status, await direct.text()], [200, "pulse_peers_total 3\n"]);
    // From another node, and from this one to itself.
    for (const from of [other.node, scribe.node]) {
      const answer = await ask(from, scribe.node.id, port, get("/metrics"));
      assert.match(answer, /^HTTP\/1\.1 401 /);
      assert.match(answer, /API_KEY_REQUIRED/);
      assert.doesNotMatch(answer, /pulse_peers/);
    }
    const { key, id } = await apiKeys.create("far", "read");
    const auth = `Authorization: Bearer ${key}\r\n`;
    const metrics = await ask(other.node, scribe.node.id, port, get("/metrics") + auth);
    assert.match(metrics, /^HTTP\/1\.1 200 [^]*pulse_peers_total 3/);
    const asked = await ask(other.node, scribe.node.id, port, get("/api/who") + auth);
    assert.ok(asked.includes(`"key:${id}@${other.node.id}"`), asked);
    assert.equal(
      (await fetch(`http://127.0.0.1:${port}/metrics`).then((r) => r.text())).length,
      20,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
