import assert from "node:assert/strict";
import { labTest } from "../lab/requires.ts";
import { serveRandomFile } from "./file_service.ts";
import { curlClient, findClient, ownClient } from "./fetch_file.ts";
import { socksRoundTrip } from "./socks_fetch.ts";

/** A SOCKS5 server that sends every CONNECT to one port of this machine. */
function proxyTo(port: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const names: string[] = [];
  const served: Promise<void>[] = [];
  const serve = async (client: Deno.TcpConn) => {
    const buffer = new Uint8Array(512);
    await client.read(buffer);
    await client.write(Uint8Array.of(5, 0));
    await client.read(buffer);
    names.push(new TextDecoder().decode(buffer.subarray(5, 5 + (buffer[4] ?? 0))));
    const target = await Deno.connect({ hostname: "127.0.0.1", port });
    await client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
    const toTarget = client.readable.pipeTo(target.writable);
    const toClient = target.readable.pipeTo(client.writable);
    // Either end may hang up first; what matters is what arrived.
    await Promise.allSettled([toTarget, toClient]);
  };
  const accepting = (async () => {
    for await (const client of listener) served.push(serve(client));
  })();
  return {
    port: listener.addr.port,
    names,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(served);
    },
  };
}

for (const kind of ["curl", "own"] as const) {
  const needs = kind === "curl" ? { commands: ["curl"] } : {};

  labTest(
    `${kind} client: a file comes through the proxy whole, the name unresolved`,
    needs,
    async () => {
      const directory = await Deno.makeTempDir({ prefix: "pulse-demo-test-" });
      try {
        const client = kind === "curl" ? curlClient(directory) : ownClient;
        await using service = serveRandomFile(3_000_001);
        await using proxy = proxyTo(service.port);
        const fetched = await client.fetch(
          proxy.port,
          new URL(`http://abc.pulse:${service.port}/file`),
          () => {},
          AbortSignal.timeout(20_000),
        );
        assert.deepEqual([fetched.bytes, fetched.sha256], [service.size, service.sha256]);
        assert.deepEqual(proxy.names, ["abc.pulse"]);
        assert.equal(service.requests, 1);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  );

  labTest(`${kind} client: what is not there is an error`, needs, async () => {
    const directory = await Deno.makeTempDir({ prefix: "pulse-demo-test-" });
    try {
      const client = kind === "curl" ? curlClient(directory) : ownClient;
      await using service = serveRandomFile(10);
      await using proxy = proxyTo(service.port);
      const url = new URL(`http://abc.pulse:${service.port}/other`);
      await assert.rejects(
        client.fetch(proxy.port, url, () => {}, AbortSignal.timeout(20_000)),
        /404/,
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

Deno.test("a round trip is timed on one connection", async () => {
  await using service = serveRandomFile(1_000);
  await using proxy = proxyTo(service.port);
  const url = new URL(`http://abc.pulse:${service.port}/file`);
  const ms = await socksRoundTrip(proxy.port, url, 5, AbortSignal.timeout(20_000));
  assert.equal(ms > 0 && ms < 20_000, true);
  assert.deepEqual([service.requests, proxy.names.length], [5, 1]);
});

labTest("curl is used where it is installed", { commands: ["curl"] }, async () => {
  assert.equal((await findClient("/nowhere")).name, "curl");
});
