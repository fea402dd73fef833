import { QuicTransport } from "../../../core/sessions/quic/mod.ts";
import { listenWebSocket, WebSocketTransport } from "../../../core/sessions/websocket/mod.ts";
import type { Carrier } from "./carrier.ts";
import { meshNode } from "./mesh_node.ts";
import { rawQuic } from "./raw_quic.ts";
import { sessionCarrier, type SessionMaker } from "./session_carrier.ts";

const anywhere = { host: "127.0.0.1", port: 0 };

const quic: SessionMaker = {
  listen: (policy) => QuicTransport.open({ ...anywhere, policy }),
  transport: (policy) => QuicTransport.open({ ...anywhere, policy }),
};

const webSocket: SessionMaker = {
  listen: (policy) => listenWebSocket({ ...anywhere, policy }),
  transport: (policy) => Promise.resolve(new WebSocketTransport({ policy })),
};

/** Every way of carrying streams that can be measured, by name. */
export const carriers: { readonly [name: string]: Carrier } = {
  "mesh": meshNode,
  "raw-quic": rawQuic,
  "quic": sessionCarrier(quic),
  "quic-tls": sessionCarrier({ ...quic, endToEnd: true }),
  "websocket": sessionCarrier(webSocket),
};
