import fc from "fast-check";
import { isForbiddenIp, isLoopbackIp, parseHostPort } from "../../core/address/mod.ts";
import { parseAdvertise, parseDialable, parseListen } from "../../core/config/addresses.ts";
import { parseConfigFile, parseDaemonConfig } from "../../core/config/mod.ts";
import { parseLocalPorts } from "../../core/config/local_ports.ts";
import { readJsonBody } from "../../core/control/request_body.ts";
import { readLine } from "../../core/control/read_line.ts";
import { parseTunnelAnswer, parseTunnelRequest } from "../../core/control/tunnel_protocol.ts";
import { PulseError } from "../../core/errors/mod.ts";
import { decodeContent } from "../../core/gossip/mod.ts";
import { decodeMessage } from "../../core/gossip/message.ts";
import { makeRecord, recordsMessage, wantMessage } from "../../core/gossip/testing.ts";
import {
  decodeAnswer as decodeJoinAnswer,
  decodeChallenge,
  decodeHello,
  decodeRequest as decodeJoinRequest,
  encodeAnswer as encodeJoinAnswer,
  encodeChallenge,
  encodeHello,
  encodeRequest as encodeJoinRequest,
} from "../../core/identity/join_messages.ts";
import {
  createCsr,
  decodeInvite,
  encodeInvite,
  frameJoin,
  generateJoinToken,
  nodeKeyFromPem,
  parseIpv4,
  parseIpv6,
  parseJoinToken,
  parseMeshCidr,
  parseNetworkName,
  parseNodeId,
  parseTrustAnchor,
  pemBlocks,
  pemToDer,
  trustAnchorFromDer,
  validateCertificate,
  verifyCsr,
} from "../../core/identity/mod.ts";
import { createTestCa } from "../../core/identity/testing.ts";
import { escapeText } from "../../core/log/mod.ts";
import { readObservedAddress } from "../../core/node/advertise.ts";
import { findNode } from "../../core/node/mesh_view.ts";
import { LinkProber } from "../../core/router/mod.ts";
import { decodeLinkMessage, encodeLinkMessage } from "../../core/sessions/link/link_message.ts";
import {
  ControlFrameParser,
  encodeControlFrames,
} from "../../core/sessions/quic/control_frames.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { FrameFlag, FrameType } from "../../core/sessions/yamux/frame.ts";
import { frame } from "../../core/sessions/yamux/testing.ts";
import { YamuxCore } from "../../core/sessions/yamux/yamux_core.ts";
import { defaultYamuxLimits } from "../../core/sessions/yamux/yamux_limits.ts";
import { BufferedStream, readFrame16, readFrame32 } from "../../core/streams/mod.ts";
import {
  decodeAnswer,
  decodeHeader,
  decodeRequest,
  encodeAnswer,
  encodeHeader,
  encodeRequest,
} from "../../core/streams/stream_header.ts";
import { verifyRoll } from "../../core/trust/mod.ts";
import { writeRoll } from "../../core/trust/testing.ts";
import { SocksProtocol } from "../../plugins/socks/socks_protocol.ts";
import { concat, u32 } from "./fixtures/bytes.ts";
import { hostileBytes, hostileText } from "./fixtures/damage.ts";

const runs = { numRuns: 1_000 };

/** Whatever the input: a result, or an error of ours. */
async function harmless(parse: () => unknown): Promise<void> {
  try {
    await parse();
  } catch (error) {
    if (!(error instanceof PulseError)) throw error;
  }
}

function bytes(what: string, valid: readonly Uint8Array[], parse: (bytes: Uint8Array) => unknown) {
  Deno.test(`no bytes make ${what} do anything but answer or refuse`, async () => {
    await fc.assert(
      fc.asyncProperty(hostileBytes(valid), (input) => harmless(() => parse(input))),
      runs,
    );
  });
}

function text(what: string, valid: readonly string[], parse: (text: string) => unknown) {
  Deno.test(`no text makes ${what} do anything but answer or refuse`, async () => {
    await fc.assert(
      fc.asyncProperty(hostileText(valid), (input) => harmless(() => parse(input))),
      runs,
    );
  });
}

/** A stream that gives these bytes in pieces and then ends. */
function streamOf(input: Uint8Array): ByteStream {
  let at = 0;
  return {
    read: () => {
      if (at >= input.length) return Promise.resolve(null);
      const chunk = input.subarray(at, at += 1 + at % 7);
      return Promise.resolve(chunk);
    },
    write: () => Promise.resolve(),
    closeWrite: () => Promise.resolve(),
    reset: () => {},
    closed: Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const body = (framed: Uint8Array, prefix: number) => framed.slice(prefix);
const ca = await createTestCa();
const credentials = await ca.issue({ roles: ["ca"] });
const { certificate, key } = credentials;
const csr = await createCsr(key, ca.network);
const token = generateJoinToken();
const random = crypto.getRandomValues(new Uint8Array(32));
const now = Date.now();

bytes("a certificate", [certificate.der, ca.anchor.der], (der) => {
  validateCertificate(der, ca.anchor, { now, network: ca.network });
});
bytes("a trust anchor", [ca.anchor.der, certificate.der], trustAnchorFromDer);
bytes(
  "a CA roll",
  [writeRoll(ca, await createTestCa(), 1, "overlap", { network: ca.network })],
  (roll) => {
    verifyRoll(roll, ca.network);
  },
);
bytes("a certificate request", [csr], verifyCsr);
bytes("a join hello", [
  encodeHello({
    version: 1,
    network: "n",
    tokenId: "0123456789abcdef",
    nonce: random,
    publicKey: random,
  }),
], decodeHello);
bytes("a join challenge", [
  encodeChallenge({ nonce: random, caCertificate: ca.anchor.der, mac: random }),
], decodeChallenge);
bytes("a join request", [encodeJoinRequest({ csr, mac: random })], decodeJoinRequest);
bytes("a join answer", [
  encodeJoinAnswer({ certificate: certificate.der, reason: "", mac: random }),
  encodeJoinAnswer({ certificate: new Uint8Array(0), reason: "no", mac: random }),
], decodeJoinAnswer);
bytes("the framing of a join", [
  concat(u32(4), Uint8Array.of(1, 2, 3, 4), u32(1), Uint8Array.of(1)),
], async (input) => {
  const channel = frameJoin(streamOf(input), "");
  while (await channel.receive() !== null);
});

bytes(
  "a link message",
  [
    encodeLinkMessage({
      v: 1,
      network: "n",
      id: certificate.id,
      verified: certificate.id,
      transport: "quic",
    }),
    encodeLinkMessage({ ok: true, v: 1, network: "n", id: certificate.id }),
    encodeLinkMessage({ ok: false, code: 5, reason: "because" }),
  ].map((message) => body(message, 2)),
  decodeLinkMessage,
);
bytes("QUIC control frames", [
  encodeControlFrames([
    { kind: "limit", streamId: 0, code: 900 },
    { kind: "reset", streamId: 8, code: 1 },
    { kind: "released", streamId: 8, code: 0 },
  ]),
], (input) => [...new ControlFrameParser().push(input)]);
bytes("a yamux session", [
  concat(
    frame(FrameType.windowUpdate, FrameFlag.syn, 1),
    frame(FrameType.data, 0, 1, Uint8Array.of(1, 2, 3)),
    frame(FrameType.ping, FrameFlag.syn, 0, 7),
    frame(FrameType.data, FrameFlag.fin, 1, Uint8Array.of(4)),
    frame(FrameType.goAway, 0, 0, 0),
  ),
], (input) => {
  const observer = { pending: () => {}, incoming: () => {}, room: () => {} };
  const core = new YamuxCore("server", defaultYamuxLimits, observer, 0);
  core.receive(input, 1, false);
  core.takeIncoming();
  core.transmit(new Uint8Array(65_536));
});

const path = [certificate.id, (await ca.issue()).key.id];
bytes(
  "a stream header",
  [body(encodeHeader({ path, position: 1, protocol: "tcp", port: 22 }), 3)],
  decodeHeader,
);
bytes(
  "a stream request",
  [body(encodeRequest({ protocol: "tcp", target: "localhost:22", port: 22 }), 2)],
  decodeRequest,
);
bytes(
  "a stream answer",
  [body(encodeAnswer({ status: 4, reason: "no", hop: certificate.id }), 2)],
  decodeAnswer,
);
bytes(
  "a short frame",
  [Uint8Array.of(0, 2, 1, 1)],
  (input) => readFrame16(new BufferedStream(streamOf(input)), 1_024),
);
bytes(
  "a long frame",
  [concat(u32(2), Uint8Array.of(1, 1))],
  (input) => readFrame32(new BufferedStream(streamOf(input)), 1_048_576),
);

const record = makeRecord(credentials, {
  report: {
    addresses: ["192.0.2.1:1"],
    capabilities: ["relay"],
    links: [{ peer: path[1]!, latencyMs: 1, loss: 0 }],
    services: [{ name: "s", port: 1 }],
    exitCidrs: ["10.0.0.0/8"],
  },
});
bytes("a gossip message", [recordsMessage([record]), wantMessage(certificate.id)], decodeMessage);
bytes("a node's report", [record.content], (input) => decodeContent(input, certificate.id));
bytes("a probe", [new Uint8Array(13).fill(1), new Uint8Array(13).fill(2)], (input) => {
  const prober = new LinkProber({ random: () => 0.5 });
  prober.receive(input, 1_000);
});
bytes("an observed address", [new TextEncoder().encode("192.0.2.1:1")], readObservedAddress);

const socksSamples = [
  Uint8Array.of(5, 1, 0, 5, 1, 0, 3, 3, 97, 98, 99, 0, 80),
  Uint8Array.of(5, 1, 2, 1, 1, 117, 1, 112, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80),
];
for (const users of [new Map(), new Map([["u", "p"]])]) {
  bytes(`SOCKS ${users.size > 0 ? "with" : "without"} users`, socksSamples, (input) => {
    const protocol = new SocksProtocol(users);
    for (let at = 0; at < input.length; at += 3) protocol.push(input.subarray(at, at + 3));
  });
}

const line = '{"node":"4353db8f","target":"localhost:22","port":22}';
bytes(
  "a first line",
  [new TextEncoder().encode(`${line}\nrest`)],
  (input) => readLine(streamOf(input), 4_096),
);
text("a tunnel request", [line], parseTunnelRequest);
text(
  "a tunnel answer",
  ['{"ok":true,"node":"a","path":["a","b"]}', '{"error":"e","code":"C"}'],
  parseTunnelAnswer,
);
text("the body of a control request", ['{"ttl":"1h"}'], (input) =>
  readJsonBody(
    new Request("http://x/", {
      method: "POST",
      body: input,
      headers: { "content-type": "application/json" },
    }),
  ));
text("an invite", [
  encodeInvite({ network: "n", relays: ["r.example:1"], token, caFingerprint: "ab".repeat(32) }),
], decodeInvite);
text("PEM", [certificate.pem, key.privateKeyPem], (input) => [pemBlocks(input), pemToDer(input)]);
text("a PEM trust anchor", [ca.anchor.pem], parseTrustAnchor);
text("a private key", [key.privateKeyPem], (input) => nodeKeyFromPem(input));
text("an address", ["192.0.2.1:1", "[::1]:1", "host.example:65535"], (input) => {
  for (const parse of [parseHostPort, parseDialable, parseAdvertise]) {
    try {
      parse(input);
    } catch (error) {
      if (!(error instanceof PulseError)) throw error;
    }
  }
  parseListen(input, "0.0.0.0");
});
text(
  "the names and numbers of a node",
  ["a".repeat(32), "corp", "10.0.0.0/8", "22,80-90"],
  async (input) => {
    for (
      const parse of [
        parseIpv4,
        parseIpv6,
        parseJoinToken,
        parseMeshCidr,
        parseNetworkName,
        parseNodeId,
        parseLocalPorts,
        isForbiddenIp,
        isLoopbackIp,
        escapeText,
        (name: string) => findNode(name, path),
      ]
    ) await harmless(() => parse(input));
  },
);
text(
  "a configuration file",
  ['listen = ":8443"\nnetwork = "corp"\n[ca]\n'],
  (input) => parseConfigFile(input, "pulse.toml"),
);
text("the daemon's configuration", ['{"dataDir":"/x","network":"n"}'], parseDaemonConfig);
