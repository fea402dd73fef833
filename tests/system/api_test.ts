import assert from "node:assert/strict";
import { join } from "node:path";
import { dataFiles } from "../../core/control/types.ts";
import { labTest, run, runOk } from "../lab/mod.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];

/** The port a node says its API listens on. */
async function apiPort(mesh: SystemMesh, name: string): Promise<number> {
  const said = /API is listening","address":"[^"]*:(\d+)"/;
  const [, port] = await mesh.node(name).eventually(
    "the API listens",
    () => said.exec(mesh.node(name).logs()),
  );
  return Number(port);
}

/** Status and body of one request. */
async function curl(...args: string[]): Promise<{ status: number; body: string }> {
  const text = await runOk(["curl", "-sS", "--max-time", "30", "-w", "\n%{http_code}", ...args]);
  const end = text.lastIndexOf("\n");
  return { status: Number(text.slice(end + 1)), body: text.slice(0, end) };
}

const bearer = (key: string) => ["-H", `Authorization: Bearer ${key}`];

labTest(
  "curl administers a node over its API with a key, and without one sees its metrics and nothing else",
  { commands: ["curl"] },
  async () => {
    await withMesh(async (mesh) => {
      const flags = [...loopback, "--ca", "--scribe-listen", "127.0.0.1:0"];
      await mesh.start("a", ...flags);
      const url = `http://127.0.0.1:${await apiPort(mesh, "a")}`;
      const admin = (await mesh.ok("a", "api-key", "create")).trim();
      const reader = (await mesh.ok("a", "api-key", "create", "--read-only")).trim();

      assert.equal((await curl(`${url}/api/status`)).status, 401);
      assert.match((await curl(`${url}/metrics`)).body, /^pulse_/m);
      const health = await curl(...bearer(reader), `${url}/api/health`);
      assert.deepEqual([health.status, JSON.parse(health.body).ok], [200, true]);
      const json = ["-H", "content-type: application/json", "-d", `{"ttl":"1h"}`];
      assert.equal((await curl(...bearer(reader), ...json, `${url}/api/tokens`)).status, 403);
      const made = await curl(...bearer(admin), ...json, `${url}/api/tokens`);
      assert.deepEqual([made.status, typeof JSON.parse(made.body).token], [201, "string"]);
      assert.equal((await curl(...bearer(reader), `${url}/api/tokens`)).status, 200);

      const id = admin.split("_")[1] ?? "";
      await mesh.ok("a", "api-key", "revoke", id);
      assert.equal((await curl(...bearer(admin), `${url}/api/status`)).status, 401);
      // Keys outlive the daemon.
      await mesh.node("a").stop("SIGTERM");
      await mesh.start("a", ...flags);
      const again = `http://127.0.0.1:${await apiPort(mesh, "a")}`;
      assert.equal((await curl(...bearer(reader), `${again}/api/status`)).status, 200);
      assert.equal((await curl(...bearer(admin), `${again}/api/status`)).status, 401);
    });
  },
);

labTest(
  "beyond loopback the API is TLS with the node's certificate, under its own name or one that was given",
  { commands: ["curl"] },
  async () => {
    await withMesh(async (mesh) => {
      const flags = ["--api-listen", "0.0.0.0:0", "--api-host", "pulse.example.com"];
      await mesh.start("a", ...loopback, "--ca", ...flags);
      const port = await apiPort(mesh, "a");
      const key = (await mesh.ok("a", "api-key", "create")).trim();
      const { self } = await mesh.status("a");
      const name = `${self.id}.${self.network}.pulse.internal`;
      const tls = [
        ...["--cacert", join(mesh.dataDir("a"), dataFiles.anchor)],
        ...["--resolve", `${name}:${port}:127.0.0.1`],
      ];
      const url = `https://${name}:${port}`;
      const own = await curl(...tls, ...bearer(key), `${url}/api/ping`);
      assert.equal(own.status, 200);
      const given = ["-H", "Host: pulse.example.com"];
      assert.equal((await curl(...tls, ...given, ...bearer(key), `${url}/api/ping`)).status, 200);
      const other = ["-H", "Host: evil.example"];
      const refused = await curl(...tls, ...other, ...bearer(key), `${url}/api/ping`);
      assert.equal(refused.status, 421);
      // No plain HTTP there, and no certificate that a stranger would trust by chance.
      const plain = await run(["curl", "-sS", "--max-time", "30", `http://127.0.0.1:${port}/`]);
      assert.notEqual(plain.code, 0);
      const stranger = await run([
        ...["curl", "-sS", "--max-time", "30"],
        ...["--resolve", `${name}:${port}:127.0.0.1`, `${url}/api/ping`],
      ]);
      assert.equal(stranger.code, 60);
    });
  },
);

Deno.test("a relay-only node has no API on the network", async () => {
  await withMesh(async (mesh) => {
    const refused = await mesh.pulse("a", "start", "--relay-only", "--api-listen", ":0");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--api-listen: a relay-only node opens no doors/);
  });
});
