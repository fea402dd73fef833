import type { IncomingMessage } from "node:http";
import { Buffer } from "node:buffer";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { formatHostPort } from "../../address/mod.ts";
import { PulseError } from "../../errors/mod.ts";
import {
  type JoinConversation,
  maxJoinMessageBytes,
  type NodeCertificate,
} from "../../identity/mod.ts";
import { LinkRefusedError } from "../errors.ts";
import {
  defaultSessionLimits,
  type LinkPolicy,
  type Session,
  SessionCloseCode,
  type SessionLimits,
  type SessionListener,
} from "../types.ts";
import { establish, HELLO_ALLOWANCE_BYTES } from "./establish.ts";
import { JoinSocket } from "./join_socket.ts";
import { checkPeer, tlsMaterial } from "./peer_check.ts";
import { Unauthenticated } from "./unauthenticated.ts";
import { WebSocketPipe } from "./websocket_pipe.ts";
import { JOIN_PATH, MAX_MESSAGE_BYTES, RELAY_PATH } from "./websocket_wire.ts";
import { commonOptions, WebSocketServer } from "./ws_library.ts";

/** Join conversations at once; for the next stranger the one that stalls longest makes room, else he is told to come back. */
const MAX_JOINS = 32;
/** An honest stranger answers within a round trip. */
const STALLED_MS = 1_000;
/** Sessions nobody has accepted yet; the next one is closed. */
const MAX_UNACCEPTED = 64;
const MAX_HEADER_BYTES = 8 * 1024;

export interface WebSocketListenerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly policy: LinkPolicy;
  readonly limits?: Partial<SessionLimits>;
  /** Takes a stranger's join conversation; the connection ends when it returns or throws. Without it there is no `/join`. */
  onJoin?(conversation: JoinConversation): Promise<void>;
}

export interface WebSocketListenerStats {
  readonly unauthenticated: number;
  /** Connections ended before they had proven anything: too slow, or too many. */
  readonly turnedAway: number;
  /** Upgrades answered with 403. */
  readonly refused: number;
  /** Handshakes that failed after the certificate was accepted. */
  readonly failedHandshakes: number;
}

export interface WebSocketListener extends SessionListener {
  /** Shows renewed credentials from now on. Also done by itself when a connection finds that they have changed. */
  refreshCredentials(): Promise<void>;
  readonly stats: WebSocketListenerStats;
}

/**
 * Listens for sessions (`/relay`) and joins (`/join`).
 * @throws {PulseError} SESSION_LISTEN the address cannot be bound
 */
export async function listenWebSocket(
  options: WebSocketListenerOptions,
): Promise<WebSocketListener> {
  const listener = new Listener(options);
  await listener.listen();
  return listener;
}

class Listener implements WebSocketListener {
  readonly #options: WebSocketListenerOptions;
  readonly #limits: SessionLimits;
  readonly #server: https.Server;
  readonly #relay: WebSocketServer;
  readonly #join: WebSocketServer;
  readonly #guests: Unauthenticated;
  readonly #shutdown = new AbortController();
  readonly #handshakes = new Set<Promise<void>>();
  readonly #joins = new Set<JoinSocket>();
  readonly #ready: Session[] = [];
  #acceptor: PromiseWithResolvers<Session | null> | null = null;
  #shownFingerprint: string;
  #address = { host: "", port: 0 };
  #refused = 0;
  #failedHandshakes = 0;
  #closed: Promise<void> | null = null;

  constructor(options: WebSocketListenerOptions) {
    this.#options = options;
    this.#limits = { ...defaultSessionLimits, ...options.limits };
    this.#guests = new Unauthenticated(
      this.#limits.maxUnauthenticated,
      this.#limits.handshakeTimeoutMs,
    );
    this.#shownFingerprint = options.policy.credentials().certificate.fingerprint;
    this.#server = https.createServer({
      ...tlsMaterial(options.policy),
      minVersion: "TLSv1.3",
      requestCert: true,
      // Strangers may join, so the certificate is judged per path, in `checkPeer`.
      rejectUnauthorized: false,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    const server = { ...commonOptions, noServer: true, clientTracking: false } as const;
    this.#relay = new WebSocketServer({ ...server, maxPayload: MAX_MESSAGE_BYTES });
    this.#join = new WebSocketServer({ ...server, maxPayload: maxJoinMessageBytes });
    this.#wire();
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  get stats(): WebSocketListenerStats {
    return {
      unauthenticated: this.#guests.size,
      turnedAway: this.#guests.turnedAway,
      refused: this.#refused,
      failedHandshakes: this.#failedHandshakes,
    };
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen({ host, port }, resolve);
    try {
      await promise;
    } catch (error) {
      throw new PulseError(
        "SESSION_LISTEN",
        `cannot listen on ${
          formatHostPort({ host, port })
        }: choose another port or stop what uses it`,
        { host, port },
        error,
      );
    }
    this.#server.off("error", reject);
    // A connection that could not be accepted (too many open files) is that connection's end, not the process's.
    this.#server.on("error", () => this.#failedHandshakes++);
    const bound = this.#server.address() as AddressInfo;
    this.#address = { host: bound.address, port: bound.port };
  }

  accept(): Promise<Session | null> {
    const session = this.#ready.shift();
    if (session !== undefined) return Promise.resolve(session);
    if (this.#closed !== null) return Promise.resolve(null);
    if (this.#acceptor !== null) {
      return Promise.reject(
        new PulseError("SESSION_BUSY", "accept() while another one is pending"),
      );
    }
    this.#acceptor = Promise.withResolvers();
    return this.#acceptor.promise;
  }

  refreshCredentials(): Promise<void> {
    this.#shownFingerprint = this.#options.policy.credentials().certificate.fingerprint;
    this.#server.setSecureContext({
      ...tlsMaterial(this.#options.policy),
      minVersion: "TLSv1.3",
    });
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#acceptor?.resolve(null);
    this.#acceptor = null;
    this.#shutdown.abort(new PulseError("SESSION_LISTENER_CLOSED", "the listener is closed"));
    this.#guests.clear();
    const sessions = this.#ready.splice(0);
    await Promise.allSettled([
      ...sessions.map((session) => session.close(SessionCloseCode.shuttingDown)),
      ...[...this.#joins].map((join) => join[Symbol.asyncDispose]()),
      ...this.#handshakes,
    ]);
    // The callback comes when the last accepted session has ended too; those are their owners'.
    void stopped;
  }

  #wire(): void {
    const server = this.#server;
    // Before the server's own listener, so that this very connection sees renewed credentials.
    server.prependListener("connection", (socket: Socket) => {
      if (this.#closed !== null) return void socket.destroy();
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      this.#guests.enter(socket);
      const { fingerprint } = this.#options.policy.credentials().certificate;
      if (fingerprint !== this.#shownFingerprint) void this.refreshCredentials();
    });
    server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
    server.on("clientError", (_error: Error, socket: Duplex) => socket.destroy());
    server.on("request", (request, response) => {
      response.writeHead(404, { connection: "close", "content-length": "0" });
      response.end(() => request.socket.destroy());
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
      socket.on("error", () => socket.destroy());
      this.#onUpgrade(request, socket, head);
    });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    // A browser says where a page is from; no page has any business here.
    if (request.headers.origin !== undefined) return answer(socket, 403);
    if (request.url === RELAY_PATH) return this.#onRelay(request, socket, head);
    if (request.url === JOIN_PATH && this.#options.onJoin !== undefined) {
      if (this.#joins.size >= MAX_JOINS && !this.#endStalledJoin()) return answer(socket, 503);
      return this.#join.handleUpgrade(request, socket, Buffer.from(head), (join) => {
        this.#guests.settle(request.socket);
        void this.#serveJoin(new JoinSocket(join, addressOf(request.socket)));
      });
    }
    answer(socket, 404);
  }

  #onRelay(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    let peer: NodeCertificate;
    try {
      peer = checkPeer(socket, this.#options.policy);
    } catch (error) {
      this.#refused++;
      // The code tells an expired node that it has to join again; it tells a stranger nothing it did not know.
      const code = error instanceof LinkRefusedError ? error.fields["reason"] : "";
      return answer(socket, 403, typeof code === "string" ? code : "");
    }
    this.#relay.handleUpgrade(request, socket, Buffer.from(head), (relay) => {
      const pipe = new WebSocketPipe(relay, HELLO_ALLOWANCE_BYTES);
      const handshake = this.#handshake(pipe, peer, request.socket);
      this.#handshakes.add(handshake);
      void handshake.then(() => this.#handshakes.delete(handshake));
    });
  }

  /** False when nobody stalls. */
  #endStalledJoin(): boolean {
    let slowest: JoinSocket | undefined;
    for (const join of this.#joins) {
      if (join.stalledMs > (slowest?.stalledMs ?? STALLED_MS)) slowest = join;
    }
    if (slowest === undefined) return false;
    this.#joins.delete(slowest);
    void slowest[Symbol.asyncDispose]();
    return true;
  }

  /** Never rejects: a failed handshake is the peer's affair, and counted. */
  async #handshake(pipe: WebSocketPipe, peer: NodeCertificate, tcp: Socket): Promise<void> {
    try {
      const session = await establish(pipe, {
        role: "acceptor",
        policy: this.#options.policy,
        limits: this.#limits,
        peer,
        remoteAddress: addressOf(tcp),
        signal: this.#shutdown.signal,
      });
      this.#guests.settle(tcp);
      await this.#offer(session);
    } catch {
      // Expected whenever a peer is refused or gone; the reason went to the peer, the count is for the operator.
      this.#failedHandshakes++;
    }
  }

  async #offer(session: Session): Promise<void> {
    if (this.#closed !== null) return await session.close(SessionCloseCode.shuttingDown);
    if (this.#acceptor !== null) {
      this.#acceptor.resolve(session);
      this.#acceptor = null;
    } else if (this.#ready.length < MAX_UNACCEPTED) this.#ready.push(session);
    else await session.close(SessionCloseCode.overLimit, "too many sessions wait to be accepted");
  }

  /** Never rejects: what goes wrong in a join is told to the stranger by closing, and to the operator by who serves it. */
  async #serveJoin(join: JoinSocket): Promise<void> {
    this.#joins.add(join);
    try {
      await this.#options.onJoin?.(join);
    } catch {
      // The conversation ends below, and that is all a stranger may know.
    } finally {
      await join[Symbol.asyncDispose]();
      this.#joins.delete(join);
    }
  }
}

const statusText: Readonly<Record<number, string>> = {
  403: "Forbidden",
  404: "Not Found",
  503: "Service Unavailable",
};

/** A whole answer to an upgrade that is not granted. */
function answer(socket: Duplex, status: number, detail = ""): void {
  socket.end(
    `HTTP/1.1 ${status} ${
      statusText[status]
    }\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${detail.length}\r\n\r\n${detail}`,
    () => socket.destroy(),
  );
}

function addressOf(socket: Socket): string {
  return formatHostPort({ host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
}
