/** A client that does what a node would not, for tests of the listener. @module */
import tls from "node:tls";
import { within } from "../compliance/suite_support.ts";
import { openSocket } from "./open_socket.ts";
import { tlsMaterial } from "./peer_check.ts";
import type { TestPolicy } from "./testing.ts";
import { RELAY_PATH, zeroMask } from "./websocket_wire.ts";
import { commonOptions, type WebSocket } from "./ws_library.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** TLS to the listener, with the member's certificate or none. */
export async function rawTls(address: Address, policy?: TestPolicy): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    ...address,
    ...(policy === undefined ? {} : tlsMaterial(policy)),
    servername: "whoever.pulse.internal",
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  // An abrupt end is what most of these tests are for.
  socket.on("error", () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("secureConnect", resolve);
  socket.once("close", () => resolve());
  await within(promise, "TLS");
  return socket;
}

/** Everything the server says until it ends the connection. */
export function readAll(socket: tls.TLSSocket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  socket.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
  socket.once("close", () => resolve(text));
  return within(promise, "the server ends the connection");
}

export function upgradeRequest(path: string, extra = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${extra}\r\n`;
}

/** A member's WebSocket at `/relay` with nothing above it. */
export function rawRelay(address: Address, policy: TestPolicy): Promise<WebSocket> {
  return openSocket(
    `wss://${address.host}:${address.port}${RELAY_PATH}`,
    {
      ...commonOptions,
      ...tlsMaterial(policy),
      servername: `${policy.network}.pulse.internal`,
      generateMask: zeroMask,
    },
    new AbortController().signal,
    { check: () => {}, open: (socket) => socket },
  );
}

/** How the server closed. */
export function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
  socket.once(
    "close",
    (code, reason) => resolve({ code, reason: new TextDecoder().decode(reason) }),
  );
  return within(promise, "the server closes the WebSocket");
}
