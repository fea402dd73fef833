import assert from "node:assert/strict";
import { join } from "node:path";
import type { HostPort } from "../../core/address/mod.ts";
import { ApiKeyStore } from "../../core/control/api_key_store.ts";
import { networkLimits, serveNetwork } from "../../core/control/network_server.ts";
import { sampleControl } from "../../core/control/testing.ts";
import { TunnelPorts } from "../../core/control/tunnel_ports.ts";
import { createTestCa } from "../../core/identity/testing.ts";
import { rawTls } from "../../core/sessions/websocket/raw_client.ts";
import { TcpClient } from "./fixtures/tcp_client.ts";
import { pause, within } from "./fixtures/within.ts";

/** The first bytes of a TLS record that announces 512. */
const halfClientHello = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);
const head = "POST /api/tokens HTTP/1.1\r\nHost: localhost\r\n";
const beginnings = ["GET /api/sta", `${head}x: y\r\n`, `${head}Content-Length: 9\r\n\r\n{`];

/** One connection to the listener, whatever is spoken on it. */
interface Line {
  readonly ended: Promise<unknown>;
  write(data: string | Uint8Array): Promise<boolean>;
  close(): void;
}

async function open({ address, tls }: Door): Promise<Line> {
  if (!tls) {
    const client = await TcpClient.connect(address);
    return {
      ended: client.ended.then((bytes) => new TextDecoder().decode(bytes)),
      write: (data) =>
        client.write(typeof data === "string" ? new TextEncoder().encode(data) : data),
      close: () => client[Symbol.dispose](),
    };
  }
  const socket = await rawTls(address);
  let text = "";
  socket.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once("close", () => resolve(text));
  if (socket.destroyed) resolve(text);
  return {
    ended: promise,
    write: (data) => Promise.resolve(!socket.destroyed && socket.write(data)),
    close: () => socket.destroy(),
  };
}

interface Door {
  readonly address: HostPort;
  readonly tls: boolean;
}

/** More than there is room for, each with a request that never ends. Resolves when the server has ended all of them. */
async function lay(door: Door, lines: Line[], signal: AbortSignal): Promise<void> {
  const [crowd, silent]: [Line[], Set<Line>] = [[], new Set()];
  for (let n = 0; n < networkLimits.connections * 1.5; n++) {
    const line = await open(n % 5 === 0 ? { ...door, tls: false } : door);
    lines.push(line);
    crowd.push(line);
    const beginning = beginnings[n % 4];
    if (n % 5 === 0 && door.tls) await line.write(halfClientHello);
    // The fourth says nothing at all.
    else if (beginning !== undefined) await line.write(beginning);
    else silent.add(line);
  }
  while (!signal.aborted) {
    // A little now and then, so that nothing stands still.
    for (const line of crowd) if (!silent.has(line)) await line.write("z");
    await pause(200);
  }
  await within("the server ends them all", Promise.all(crowd.map(({ ended }) => ended)));
}

async function assertServesDespite(tls: boolean): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-loris-" });
  try {
    const apiKeys = new ApiKeyStore(join(dir, "api-keys.json"), () => Date.now());
    const { key } = await apiKeys.create("honest", "read");
    const { key: node, certificate } = await (await createTestCa()).issue();
    const shown = { key: node.privateKeyPem, cert: certificate.pem };
    await using server = await serveNetwork({
      listen: { host: "127.0.0.1", port: 0 },
      names: [],
      certificate: tls ? () => shown : null,
      control: sampleControl(),
      apiKeys,
      tunnels: new TunnelPorts(() => performance.now()),
      log: () => {},
      now: () => performance.now(),
    });
    const door = { address: server.address, tls };
    const lines: Line[] = [];
    const stop = new AbortController();
    const attack = lay(door, lines, stop.signal);
    attack.catch(() => {/* told where it is waited for */});
    let asked = 0;
    const ask = async () => {
      const line = await open(door);
      lines.push(line);
      await line.write(
        `GET /api/ping HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n` +
          "Connection: close\r\n\r\n",
      );
      assert.match(String(await within("an answer", line.ended)), /^HTTP\/1\.1 200 /);
      asked++;
    };
    // While they come, and once they are all there.
    while (lines.length - asked < networkLimits.connections * 1.5) await ask();
    for (let n = 0; n < 10; n++) await ask();
    stop.abort();
    await attack;
    for (const line of lines) line.close();
    await ask();
    lines.at(-1)?.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("slow and silent strangers at the API's listeners, plain and TLS, cost themselves their connections, and nobody else an answer", async () => {
  // At once, because waiting is most of it.
  await Promise.all([false, true].map(assertServesDespite));
});
