import assert from "node:assert/strict";
import tls from "node:tls";
import { StreamDuplex } from "../../core/sessions/tls/stream_duplex.ts";
import { SessionCloseCode } from "../../core/sessions/types.ts";
import { rawTls, readAll, upgradeRequest } from "../../core/sessions/websocket/raw_client.ts";
import { encodeLinkMessage } from "../../core/sessions/link/link_message.ts";
import { streamKind } from "../../core/streams/mod.ts";
import { say } from "./fixtures/bytes.ts";
import { RawQuic } from "./fixtures/raw_quic.ts";
import { createScene, type Scene } from "./fixtures/scene.ts";
import { within } from "./fixtures/within.ts";

/** What a dialler says when it has proven something. */
function hello(scene: Scene): Uint8Array {
  return encodeLinkMessage({
    v: 1,
    network: scene.ca.network,
    id: scene.friend.id,
    verified: scene.victim.id,
    transport: "quic",
  });
}

Deno.test("over quic, a stranger without a certificate is shown the door, whatever it says", async () => {
  await using scene = await createScene("quic");
  const attempts: [string, (raw: RawQuic) => Promise<void>][] = [
    ["a hello in clear", async (raw) => say(await raw.openStream(), hello(scene))],
    [
      "a control channel",
      async (raw) => say(await raw.openStream(), Uint8Array.of(streamKind.control, 0, 0, 0, 1, 1)),
    ],
    [
      "HTTP",
      async (raw) =>
        say(await raw.openStream(), new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")),
    ],
    ["two streams", async (raw) => {
      await say(await raw.openStream(), Uint8Array.of(22));
      await say(await raw.openStream(), Uint8Array.of(22));
    }],
    ["TLS without a certificate", async (raw) => {
      const socket = tls.connect({
        socket: new StreamDuplex(await raw.openStream()),
        ca: [scene.ca.anchorPem],
        servername: `${scene.victim.id}.${scene.ca.network}.pulse.internal`,
        ALPNProtocols: ["pulse-link/1"],
      });
      socket.on("error", () => {});
      // TLS 1.3 lets the client finish before the server has judged it.
      socket.once("secureConnect", () => socket.write(hello(scene)));
      await within("the end of TLS", new Promise<void>((done) => socket.once("close", done)));
    }],
    ["TLS for something else", async (raw) => {
      const socket = tls.connect({
        socket: new StreamDuplex(await raw.openStream()),
        rejectUnauthorized: false,
        ALPNProtocols: ["h2"],
      });
      socket.on("error", () => {});
      await within("the end of TLS", new Promise<void>((done) => socket.once("close", done)));
    }],
  ];
  await Promise.all(attempts.map(async ([what, attempt]) => {
    using raw = await RawQuic.connect(scene.address, scene.ca);
    for (let n = 0; n < 20; n++) {
      await raw.connection.sendDatagram(Uint8Array.of(1, n)).catch(() => {/* ended */});
    }
    await attempt(raw);
    const { code } = await raw.ended();
    const expected: number[] = [SessionCloseCode.unauthenticated, SessionCloseCode.protocolError];
    assert.ok(expected.includes(code), `${what}: ${code}`);
  }));
  scene.assertNothingGained();
  await scene.assertServes();
});

Deno.test("over websocket, a stranger without a certificate is shown the door, whatever it says", async () => {
  await using scene = await createScene("websocket");
  const requests: [string, string, RegExp][] = [
    ["a session", upgradeRequest("/relay"), /^HTTP\/1\.1 403 .*CERT_NONE$/s],
    [
      "a session, from a page",
      upgradeRequest("/relay", "Origin: https://x\r\n"),
      /^HTTP\/1\.1 403 /,
    ],
    ["a join, from a page", upgradeRequest("/join", "Origin: null\r\n"), /^HTTP\/1\.1 403 /],
    ["another path", upgradeRequest("/"), /^HTTP\/1\.1 404 /],
    ["a path that climbs", upgradeRequest("/relay/../join"), /^HTTP\/1\.1 404 /],
    ["a page", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 404 /],
    [
      "a form",
      "POST /join HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b",
      /^HTTP\/1\.1 404 /,
    ],
    ["two requests", "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2), /^HTTP\/1\.1 404 /],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      /^(?!HTTP\/1\.1 [123])/,
    ],
    ["not HTTP", "\u0000\u0001\u0002\r\n\r\n", /^(?!HTTP\/1\.1 [123])/],
    [
      "headers without end",
      `GET / HTTP/1.1\r\n${"x: y\r\n".repeat(20_000)}`,
      /^(?!HTTP\/1\.1 [123])/,
    ],
    ["one endless header", `GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}`, /^(?!HTTP\/1\.1 [123])/],
    ["old HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^(?!HTTP\/1\.1 [123])/],
  ];
  await Promise.all(requests.map(async ([what, request, answer]) => {
    const socket = await rawTls(scene.address);
    const all = readAll(socket);
    socket.write(request);
    assert.match(await all, answer, what);
  }));
  for (const older of ["TLSv1.2"] as const) {
    const socket = tls.connect({
      ...scene.address,
      rejectUnauthorized: false,
      minVersion: older,
      maxVersion: older,
    });
    socket.on("error", () => {});
    socket.once("secureConnect", () => assert.fail(`${older} was spoken`));
    await within("the end", new Promise<void>((done) => socket.once("close", () => done())));
  }
  scene.assertNothingGained();
  await scene.assertServes();
});
