import assert from "node:assert/strict";
import "reflect-metadata";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import * as x509 from "@peculiar/x509";
import { createCsr } from "./csr.ts";
import { createTestCa } from "./testing.ts";
import { type Credentials, nodeServerName } from "./types.ts";

const ca = await createTestCa("corp");
const server = await ca.issue({ roles: ["exit"] });
const client = await ca.issue();

/** What TLS stacks take. */
function material(credentials: Credentials): { key: string; cert: string; ca: string } {
  return {
    key: credentials.key.privateKeyPem,
    cert: credentials.certificate.pem,
    ca: credentials.anchor.pem,
  };
}

Deno.test("another X.509 library reads certificates and requests as meant", async () => {
  x509.cryptoProvider.set(crypto);
  const read = new x509.X509Certificate(server.certificate.pem);
  const anchor = new x509.X509Certificate(ca.anchorPem);
  assert.equal(read.subject, `CN=${server.certificate.id}`);
  assert.equal(read.serialNumber, server.certificate.serial);
  assert.equal(read.notAfter.getTime(), server.certificate.notAfter);
  assert.equal(await read.verify({ publicKey: anchor.publicKey }), true);
  assert.equal(await anchor.isSelfSigned(), true);
  const names = read.getExtension(x509.SubjectAlternativeNameExtension)!.names.toJSON();
  assert.deepEqual(names.map((name) => name.value), [
    `${server.certificate.id}.corp.pulse.internal`,
    "corp.pulse.internal",
    ...server.certificate.meshAddresses,
    "pulse:role:exit",
  ]);
  const csr = await createCsr(client.key, "corp");
  const request = new x509.Pkcs10CertificateRequest(csr);
  assert.equal(await request.verify(), true);
  assert.equal(request.subject, `CN=${client.key.id}`);
});

Deno.test("mutual TLS accepts the certificates in both roles and refuses a foreign CA's", async () => {
  const listener = tls.createServer({
    ...material(server),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
  });
  listener.on("secureConnection", (socket: tls.TLSSocket) => {
    socket.on("error", () => {/* the client's view is what is tested */});
    socket.end(socket.getPeerCertificate().raw);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const dial = async (credentials: Credentials) => {
    const socket = tls.connect({
      ...material(credentials),
      ca: ca.anchorPem,
      host: "127.0.0.1",
      port,
      servername: nodeServerName(server.certificate.id, "corp"),
    });
    const chunks: Uint8Array[] = [];
    socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    const ended = Promise.withResolvers<void>();
    socket.on("error", ended.reject);
    socket.on("close", () => ended.resolve());
    await ended.promise;
    return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  };
  try {
    assert.equal(await dial(client), client.certificate.der.length);
    const foreign = await dial(await ca.forge.foreignCa()).catch(() => 0);
    assert.equal(foreign, 0);
  } finally {
    listener.close();
    await once(listener, "close");
  }
});

Deno.test("QUIC accepts a node's certificate under the node's name and no other", async () => {
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const clientEndpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const listener = endpoint.listen({
    cert: server.certificate.pem,
    key: server.key.privateKeyPem,
    alpnProtocols: ["test"],
  });
  const accepting = (async () => {
    while (true) {
      const incoming = await listener.incoming();
      // A dial that is refused below fails on this side too.
      await Promise.resolve(incoming.accept()).catch(() => undefined);
    }
  })().catch(() => undefined);
  const dial = async (serverName: string) =>
    await Deno.connectQuic({
      hostname: "127.0.0.1",
      port: endpoint.addr.port,
      serverName,
      endpoint: clientEndpoint,
      alpnProtocols: ["test"],
      caCerts: [ca.anchorPem],
    });
  try {
    for (const name of [nodeServerName(server.certificate.id, "corp"), "corp.pulse.internal"]) {
      (await dial(name)).close({ closeCode: 0, reason: "" });
    }
    await assert.rejects(dial(nodeServerName(client.certificate.id, "corp")));
    await assert.rejects(dial("other.pulse.internal"));
  } finally {
    clientEndpoint.close({ closeCode: 0, reason: "" });
    endpoint.close({ closeCode: 0, reason: "" });
    await accepting;
  }
});
