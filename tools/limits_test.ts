import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { maxRequests } from "../core/control/lazy_app.ts";
import { maxBodyBytes } from "../core/control/request_body.ts";
import { maxTunnelLine } from "../core/control/tunnel_protocol.ts";
import { maxTunnels } from "../core/control/tunnel_server.ts";
import { maxCertificateBytes } from "../core/identity/certificate_fields.ts";
import {
  joinTimeoutMs,
  maxJoinMessageBytes,
  maxJoinMessages,
} from "../core/identity/join_messages.ts";
import { maxFieldText } from "../core/log/log_record.ts";
import { maxLinks } from "../core/node/admission.ts";
import { maxControlMessage, maxControlQueue } from "../core/node/control_channel.ts";
import { maxSessionsPerPeer } from "../core/node/link_manager.ts";
import { maxLearnedPeers } from "../core/node/peer_dialler.ts";
import { maxRememberedPeers } from "../core/node/peers_store.ts";
import { defaultInstanceLimits } from "../core/plugin/instance.ts";
import { portWindow } from "../core/plugin/port_stream.ts";
import { maxLinkMessageBytes } from "../core/sessions/link/link_message.ts";
import { defaultSessionLimits } from "../core/sessions/types.ts";
import { defaultYamuxLimits } from "../core/sessions/yamux/yamux_limits.ts";
import { datagramIdleMs, headerTimeoutMs, maxRelayedStreams } from "../core/streams/mod.ts";
import { maxHeaderBytes, maxPathNodes, maxRequestBytes } from "../core/streams/stream_header.ts";
import { maxRollBytes } from "../core/trust/mod.ts";
import { defaultSocksLimits } from "../plugins/socks/socks_server.ts";
import { keptSegments } from "../plugins/tun-fec/fec/decoder.ts";
import { flowSets, flowsPerSet } from "../plugins/tun-fec/filter/flow_table.ts";
import { maxIndexes } from "../plugins/tun-fec/labels/index_table.ts";
import {
  gapPatience,
  mostPeers,
  openPackets,
  openPacketsOfAll,
  queuedTrains,
  queuedTrainsOfPeer,
  receiveRing,
  tooBigPerSecond,
  turn,
  turnBytes,
} from "../plugins/tun-fec/loop/limits.ts";

const page = new URL("../docs/limits.md", import.meta.url);

function limitCells(): Map<string, string> {
  const rows = readFileSync(page, "utf8").matchAll(/^\| ([^|]+?) +\| ([^|]+?) +\|/gm);
  return new Map([...rows].map(([, what = "", limit = ""]) => [what, limit]));
}

/** As the page writes it: whole MiB and KiB where it is one, else with commas. */
function written(value: number): string[] {
  const plain = value.toLocaleString("en-US");
  if (value % 2 ** 20 === 0) return [`${value / 2 ** 20} MiB`, plain];
  return value % 1024 === 0 ? [plain, `${value / 1024} KiB`] : [plain];
}

const session = defaultSessionLimits;
const plugin = defaultInstanceLimits;
const socks = defaultSocksLimits;
const expected: readonly (readonly [string, ...number[]])[] = [
  ["connections that have not proven who they are, per transport", session.maxUnauthenticated],
  ["time from the first packet to the end of the handshake", session.handshakeTimeoutMs],
  ["handshake message", maxLinkMessageBytes],
  ["join conversation", maxJoinMessages, maxJoinMessageBytes, joinTimeoutMs],
  ["word on a CA roll", maxRollBytes],
  ["certificate, certificate request", maxCertificateBytes],
  ["links", maxLinks],
  ["sessions with one peer", maxSessionsPerPeer],
  ["silence on a session", session.idleTimeoutMs, session.keepAliveMs],
  ["streams a peer opens in a session", session.maxIncomingStreams],
  ["unread bytes of a stream", session.maxStreamWindow],
  ["unread bytes of a WebSocket session", defaultYamuxLimits.maxSessionBuffer],
  ["control message", maxControlMessage],
  ["control messages that wait for a link", maxControlQueue],
  ["header of a stream, and the request inside", maxHeaderBytes, maxRequestBytes, headerTimeoutMs],
  ["nodes of a path", maxPathNodes],
  ["streams carried for others", maxRelayedStreams],
  ["flow of datagrams without a datagram", datagramIdleMs],
  ["peers remembered, and dialled because of it", maxRememberedPeers, maxLearnedPeers],
  ["control API", maxRequests, maxBodyBytes],
  ["tunnels", maxTunnels, maxTunnelLine],
  ["SOCKS connections", socks.maxConnections, socks.maxHandshakes],
  ["SOCKS handshake", socks.handshakeTimeoutMs],
  ["clients that send datagrams", socks.maxAssociations, socks.maxFlows],
  ["log", maxFieldText],
  ["loading a plugin, its factory, its start", plugin.loadTimeoutMs],
  ["a hook, and a sign of life", plugin.hookTimeoutMs],
  ["a call of a service or an API endpoint", plugin.callTimeoutMs],
  ["streams of a plugin", plugin.maxStreams],
  ["unread bytes of one of its streams", portWindow],
  ["calls under way", plugin.maxCallsInFlight],
  ["peers of the packet loop", mostPeers],
  ["bytes that were received and wait", receiveRing],
  ["packets with gaps, and behind them", openPackets, openPacketsOfAll, gapPatience],
  ["trains of segments that wait for the socket", queuedTrainsOfPeer, queuedTrains],
  ["messages and packets in a turn", turn, turnBytes],
  ["flows remembered", flowSets * flowsPerSet],
  ["labels and keys that this node has named", maxIndexes],
  ["segments remembered for repair", keptSegments],
  ["answers that a packet is too big", tooBigPerSecond],
];

Deno.test("docs/limits.md says what the code does", () => {
  const cells = limitCells();
  for (const [what, ...values] of expected) {
    const cell = cells.get(what) ?? assert.fail(`docs/limits.md has no row "${what}"`);
    for (const value of values) {
      assert.ok(
        written(value).some((text) => cell.includes(text)),
        `${what}: ${value} in "${cell}"`,
      );
    }
  }
});
