import assert from "node:assert/strict";
import { createServer } from "node:http";
import { PulseError } from "../../core/errors/mod.ts";
import { startTestHost, testCertificate, type TestHost } from "../../core/plugin/testing.ts";
import type { HostServices, Json, PluginManifest } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { carryDatagrams } from "../../core/streams/carry_datagrams.ts";
import { connToStream } from "../../core/streams/conn_stream.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import type { MeshStream } from "../../core/streams/types.ts";
import { TestUdpSocket } from "../../core/streams/udp_testing.ts";
import project from "../../deno.json" with { type: "json" };
import { SocksUdpClient } from "./udp_testing.ts";

const manifest: PluginManifest = {
  ...project.pulse.plugins.socks,
  module: "./mod.ts",
};

interface Socks extends AsyncDisposable {
  readonly test: TestHost;
  readonly port: number;
  readonly requests: unknown[];
  /** Runs curl through the proxy; gives its exit code and what it wrote. */
  curl(...args: string[]): Promise<{ code: number; out: string }>;
}

/** The plugin in its Worker, with the permissions of deno.json; the mesh is this machine, and every node is an HTTP server. */
async function start(config: { [key: string]: Json } = {}, httpPort = 0): Promise<Socks> {
  const requests: unknown[] = [];
  const openStream: HostServices["openStream"] = async (request) => {
    requests.push(request);
    if (request.node === "refuses") throw new PulseError("STREAM_REFUSED", "nobody listens");
    if (request.node === "stranger") throw new PulseError("NODE_UNKNOWN", "no such node");
    const stream = request.protocol.startsWith("udp")
      ? datagramsTo(httpPort)
      : connToStream(await Deno.connect({ hostname: "127.0.0.1", port: httpPort }));
    return Object.assign(stream, { peer: testCertificate, path: [] }) as MeshStream;
  };
  const peers: HostServices["peers"] = () =>
    Promise.resolve([{
      id: "c".repeat(32),
      meshAddresses: ["127.100.0.9"],
      roles: [],
      capabilities: [],
      linked: true,
    }]);
  const test = await startTestHost({ socks: manifest }, {
    baseUrl: import.meta.url,
    configs: { socks: { listen: "127.0.0.1:0", ...config } },
    services: {
      self: () => Promise.reject(new Error("not asked for")),
      peers,
      resolveNode: () => Promise.reject(new Error("not asked for")),
      openStream,
      call: (service, method, argument) => {
        assert.deepEqual([service, method], ["exits", "find"]);
        const { host } = argument as { readonly host: string };
        if (host === "192.0.2.66") return Promise.reject(new PulseError("EXIT_DOWN", "no exit"));
        return Promise.resolve(/^192\.168\.7\.|^behind\./.test(host) ? "e".repeat(32) : null);
      },
      emit: () => {},
    },
    coreServices: ["exits"],
    restart: { maxRestarts: 0 },
  });
  assert.equal(test.host.status()[0]?.detail, "running");
  const { fields } = await test.logged("SOCKS is listening");
  const port = Number(String(fields.listen).split(":")[1]);
  return {
    test,
    port,
    requests,
    async curl(...args) {
      const { code, stdout, stderr } = await new Deno.Command("curl", {
        args: ["--silent", "--show-error", "--max-time", "60", ...args],
        env: { no_proxy: "", NO_PROXY: "" },
      }).output();
      const decoder = new TextDecoder();
      return { code, out: decoder.decode(stdout) + decoder.decode(stderr) };
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

/** What a node does with a flow of datagrams. */
function datagramsTo(port: number): ByteStream {
  const [near, far] = memoryStreamPair();
  void carryDatagrams(far, { hostname: "127.0.0.1", port });
  return near;
}

/** An HTTP server that gives back what it is sent, or so many bytes of nothing. */
async function httpServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((request, response) => {
    const size = Number(/^\/bytes\/(\d+)$/.exec(request.url ?? "")?.[1] ?? -1);
    if (size >= 0) {
      response.setHeader("content-length", size);
      response.end(new Uint8Array(size));
      return;
    }
    let length = 0;
    request.on("data", (data: Uint8Array) => length += data.length);
    request.on("end", () => response.end(`${request.url} ${length}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

Deno.test("curl goes through the mesh by name and by mesh address, and large bodies come whole", async () => {
  await using http = await httpServer();
  await using socks = await start({}, http.port);
  const proxy = `127.0.0.1:${socks.port}`;
  const named = await socks.curl("--socks5-hostname", proxy, "http://Abcd.pulse:8080/hello");
  assert.deepEqual(named, { code: 0, out: "/hello 0" });
  const behind = await socks.curl("--socks5-hostname", proxy, "http://db.lan.abcd.pulse/x");
  assert.deepEqual(behind, { code: 0, out: "/x 0" });
  const address = await socks.curl("--socks5", proxy, "http://127.100.0.9:81/a");
  assert.deepEqual(address, { code: 0, out: "/a 0" });
  assert.deepEqual(socks.requests, [
    { node: "abcd", protocol: "tcp", target: "localhost:8080", port: 8080 },
    { node: "abcd", protocol: "tcp", target: "db.lan:80", port: 80 },
    { node: "c".repeat(32), protocol: "tcp", target: "localhost:81", port: 81 },
  ]);
  const size = 20_000_000;
  const down = await socks.curl(
    ...["--socks5-hostname", proxy, "-o", "/dev/null", "-w", "%{size_download}"],
    `http://abcd.pulse/bytes/${size}`,
  );
  assert.deepEqual(down, { code: 0, out: String(size) });
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, new Uint8Array(size));
    const up = await socks.curl("--socks5-hostname", proxy, "-T", file, "http://abcd.pulse/up");
    assert.deepEqual(up, { code: 0, out: `/up ${size}` });
  } finally {
    await Deno.remove(file);
  }
  const metrics = await socks.test.host.metrics();
  const value = (name: string, label: string) =>
    metrics.find((m) => m.name === name && Object.values(m.labels ?? {}).includes(label))?.value;
  assert.equal(value("pulse_socks_connections_total", "connected"), 5);
  assert.ok(value("pulse_socks_bytes_total", "up")! > size);
  assert.ok(value("pulse_socks_bytes_total", "down")! > size);
  const [health] = await socks.test.host.health();
  assert.equal(health?.ok, true);
});

Deno.test("curl understands why it is refused", async () => {
  await using socks = await start();
  const proxy = `127.0.0.1:${socks.port}`;
  const cases = [
    ["http://refuses.pulse/", /\(5\)/],
    ["http://stranger.pulse/", /\(4\)/],
    ["http://example.com/", /\(2\)/],
    ["http://192.0.2.1/", /\(2\)/],
  ] as const;
  for (const [url, reason] of cases) {
    const { code, out } = await socks.curl("--socks5-hostname", proxy, url);
    assert.equal(code, 97, out);
    assert.match(out, reason);
  }
});

Deno.test("datagrams go through the mesh from inside the Worker, by name and by mesh address", async () => {
  using service = new TestUdpSocket();
  void service.echo();
  await using socks = await start({ udp: ["127.0.0.1"] }, service.port);
  using client = await SocksUdpClient.open("127.0.0.1", socks.port);
  for (const host of ["abcd.pulse", "127.100.0.9"]) {
    await client.send(host, 53, Uint8Array.of(1, 2, 3));
    assert.deepEqual(await client.receive(), {
      from: `${host}:53`,
      payload: Uint8Array.of(1, 2, 3),
    });
  }
  assert.deepEqual(socks.requests, [
    { node: "abcd", protocol: "udp", target: "localhost:53", port: 53 },
    { node: "c".repeat(32), protocol: "udp", target: "localhost:53", port: 53 },
  ]);
});

Deno.test("what lies behind an exit goes there, connections and datagrams, and nothing is dialled while there is none", async () => {
  using service = new TestUdpSocket();
  void service.echo();
  await using http = await httpServer();
  await using socks = await start({ direct: true }, http.port);
  const proxy = `127.0.0.1:${socks.port}`;
  for (const host of ["192.168.7.9", "behind.example"]) {
    const fetched = await socks.curl("--socks5-hostname", proxy, `http://${host}:8080/x`);
    assert.deepEqual(fetched, { code: 0, out: "/x 0" });
  }
  const { code, out } = await socks.curl("--socks5-hostname", proxy, "http://192.0.2.66/");
  assert.equal(code, 97);
  assert.match(out, /\(3\)/);
  assert.deepEqual(socks.requests, [
    { node: "", protocol: "tcp.exit", target: "192.168.7.9:8080", port: 8080 },
    { node: "", protocol: "tcp.exit", target: "behind.example:8080", port: 8080 },
  ]);
  await using datagrams = await start({ udp: ["127.0.0.1"] }, service.port);
  using client = await SocksUdpClient.open("127.0.0.1", datagrams.port);
  await client.send("192.168.7.9", 53, Uint8Array.of(7));
  assert.deepEqual((await client.receive()).payload, Uint8Array.of(7));
  assert.deepEqual(datagrams.requests, [
    { node: "", protocol: "udp.exit", target: "192.168.7.9:53", port: 53 },
  ]);
});

Deno.test("without a configuration that lets it, no datagrams are taken", async () => {
  await using socks = await start();
  await assert.rejects(SocksUdpClient.open("127.0.0.1", socks.port), /answered 7/);
});

Deno.test("with users configured only those get in", async () => {
  await using http = await httpServer();
  await using socks = await start({ users: { ann: "secret" } }, http.port);
  const url = (login: string) => `socks5h://${login}127.0.0.1:${socks.port}`;
  const good = await socks.curl("--proxy", url("ann:secret@"), "http://abcd.pulse/in");
  assert.deepEqual(good, { code: 0, out: "/in 0" });
  for (const login of ["ann:wrong@", "bob:secret@", ""]) {
    const { code } = await socks.curl("--proxy", url(login), "http://abcd.pulse/");
    assert.equal(code, 97, login);
  }
  assert.equal(socks.requests.length, 1);
});

Deno.test("with direct on, hosts outside the mesh are dialled from here, but not this machine's own", async () => {
  await using socks = await start({ direct: true });
  const proxy = `127.0.0.1:${socks.port}`;
  for (const host of ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"]) {
    const { code, out } = await socks.curl("--socks5-hostname", proxy, `http://${host}:1/`);
    assert.equal(code, 97, out);
    assert.match(out, /\(2\)/);
  }
});

Deno.test("a wrong configuration, or an address in use, is a failed plugin that says why", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const cases: [Json, RegExp][] = [
      [{ listen: "nonsense" }, /configuration of SOCKS is wrong: listen/],
      [{ listen: "127.0.0.1:0", extra: 1 }, /configuration of SOCKS is wrong/],
      [{ listen: `127.0.0.1:${taken.addr.port}` }, /cannot listen on 127\.0\.0\.1:\d+ .*in use/],
    ];
    for (const [config, reason] of cases) {
      await using test = await startTestHost({ socks: manifest }, {
        baseUrl: import.meta.url,
        configs: { socks: config },
        coreServices: ["exits"],
        restart: { maxRestarts: 0 },
      });
      assert.equal(test.host.status()[0]?.state, "failed");
      assert.match(test.host.status()[0]!.detail, reason);
    }
  } finally {
    taken.close();
  }
});
