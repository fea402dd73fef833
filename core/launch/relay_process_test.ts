import assert from "node:assert/strict";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { createTestCa } from "../identity/testing.ts";
import { type Credentials, nodeServerName } from "../identity/types.ts";
import { computeDenoFlags } from "./flags.ts";
import type { RelayChildOrders } from "./relay_child_testing.ts";

const projectDir = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
const child = fileURLToPath(new URL("./relay_child_testing.ts", import.meta.url));

interface Door extends AsyncDisposable {
  readonly quic: number;
  readonly tls: number;
}

/** A node that answers QUIC and TLS on free loopback ports. */
function openDoor({ certificate, key }: Credentials): Door {
  const identity = { cert: certificate.pem, key: key.privateKeyPem };
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const listener = endpoint.listen({ ...identity, alpnProtocols: ["test"] });
  const accepting = (async () => {
    // How a connection ends is what the other end reports; the end of the endpoint ends the loop.
    const next = () => listener.incoming().catch(() => undefined);
    for (let one = await next(); one !== undefined; one = await next()) {
      await accepted(one).catch(() => {});
    }
  })();
  const server = Deno.listenTls({ ...identity, hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of server) {
      // Whether the handshake works out is what the other end reports.
      await conn.handshake().catch(() => {});
      conn.close();
    }
  })();
  return {
    quic: endpoint.addr.port,
    tls: server.addr.port,
    async [Symbol.asyncDispose]() {
      endpoint.close({ closeCode: 0, reason: "" });
      server.close();
      await serving;
      await accepting;
    },
  };
}

async function findings(lines: ReadableStreamDefaultReader<string>): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let text = "";
  while (!found.has("all")) {
    const { value, done } = await lines.read();
    if (done) break;
    const whole = (text + value).split("\n");
    text = whole.pop() ?? "";
    for (const line of whole) found.set(...JSON.parse(line) as [string, string]);
  }
  return found;
}

Deno.test("a relay's flags let it listen, be reached and dial its peers, by address and by name, and nobody else", async () => {
  const ca = await createTestCa("corp");
  const [own, far] = [await ca.issue(), await ca.issue()];
  const root = await Deno.makeTempDir();
  await using peer = await openDoor(far);
  await using stranger = await openDoor(far);
  // A loopback address nobody else uses, so that a fixed port is free on it.
  const [a = 1, b = 1] = crypto.getRandomValues(new Uint8Array(2));
  const host = `127.${100 + a % 100}.${b}.7`;
  const port = 8443;
  const dataDir = `${root}/data`;
  await Deno.mkdir(dataDir);
  const orders: RelayChildOrders = {
    host,
    port,
    socket: `${dataDir}/pulse.sock`,
    certificate: own.certificate.pem,
    key: own.key.privateKeyPem,
    anchor: ca.anchorPem,
    serverName: nodeServerName(far.key.id, "corp"),
    peers: ["127.0.0.1", "localhost"].map((name) => ({
      host: name,
      quic: peer.quic,
      tls: peer.tls,
    })),
    stranger: { host: "127.0.0.1", quic: stranger.quic, tls: stranger.tls },
  };
  const flags = computeDenoFlags({
    dataDir,
    projectDir,
    listen: [`${host}:${port}`],
    peers: orders.peers.flatMap((p) => [`${p.host}:${p.quic}`, `${p.host}:${p.tls}`]),
    relayOnly: true,
    plugins: [],
  });
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...flags, child, JSON.stringify(orders)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    cwd: dataDir,
  }).spawn();
  const stdout = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const found = await findings(stdout);
    const allowed = [...found].filter(([, result]) => result === "ok").map(([what]) => what);
    assert.deepEqual(
      allowed.filter((what) => what !== "quic localhost" && what !== "tls localhost"),
      ["listening", "quic 127.0.0.1", "tls 127.0.0.1"],
    );
    // Where the name means ::1 nobody answers, which is not for want of a permission.
    for (const what of ["quic localhost", "tls localhost"]) {
      assert.doesNotMatch(found.get(what) ?? "NotCapable", /NotCapable|Requires/);
    }
    const refused = [...found].filter(([what]) => /stranger|another|more/.test(what));
    assert.equal(refused.length, 8);
    for (const [what, result] of refused) {
      assert.match(result, /NotCapable|Requires|escalate/, what);
    }

    const own443 = nodeServerName(own.key.id, "corp");
    using endpoint = disposable(new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 }));
    const connection = await Deno.connectQuic({
      endpoint: endpoint.value,
      hostname: host,
      port,
      serverName: own443,
      caCerts: [ca.anchorPem],
      alpnProtocols: ["test"],
    });
    connection.close({ closeCode: 0, reason: "" });
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port, servername: own443, ca: [ca.anchorPem] }, () => {
        socket.destroy();
        resolve();
      });
      socket.once("error", reject);
    });
    const local = await Deno.connect({ transport: "unix", path: orders.socket });
    assert.equal(await local.read(new Uint8Array(5)), 5);
    local.close();
  } finally {
    await process.stdin.close();
    await stdout.cancel();
    await process.status;
    await Deno.remove(root, { recursive: true });
  }
});

function disposable(value: Deno.QuicEndpoint): Disposable & { readonly value: Deno.QuicEndpoint } {
  return { value, [Symbol.dispose]: () => value.close() };
}

async function accepted(incoming: Deno.QuicIncoming): Promise<Deno.QuicConn> {
  return await incoming.accept();
}
