import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { formatHostPort, type HostPort, isLoopbackIp } from "../address/mod.ts";
import { errorText, PulseError } from "../errors/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import type { ApiKeyStore } from "./api_key_store.ts";
import type { ControlApp } from "./app.ts";
import { ConnectionRoom } from "./connection_room.ts";
import { ControlError } from "./errors.ts";
import { keyRequired } from "./key_required.ts";
import { lazyApp } from "./lazy_app.ts";
import { NetworkCallers, type Remote } from "./network_caller.ts";
import { readHead, readRequest, securityHeaderLines, sendResponse } from "./node_http.ts";
import { makeProblem, problemResponse, toProblem } from "./problem.ts";
import { plainAddress, refuseHead, type RequestHead } from "./request_head.ts";
import type { TunnelPorts } from "./tunnel_ports.ts";
import type { NodeControl } from "./types.ts";

/** What TLS shows. */
export interface ListenerCertificate {
  /** PEM, as are both. */
  readonly key: string;
  readonly cert: string;
}

export interface ServeNetworkOptions {
  /** `port` 0 takes a free one. */
  readonly listen: HostPort;
  /** Names this listener may be called by, besides its addresses. */
  readonly names: readonly string[];
  /** Asked at every connection, so that a renewed certificate is shown from then on; null for plain HTTP. */
  readonly certificate: (() => ListenerCertificate) | null;
  readonly control: NodeControl;
  readonly apiKeys: ApiKeyStore;
  readonly tunnels: TunnelPorts;
  readonly log: LogFn;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Ends the service like disposing it does. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<NetworkLimits>;
}

/** Patience with clients, milliseconds, and how many there may be. */
export interface NetworkLimits {
  /** TLS and the head of a request. */
  readonly headMs: number;
  /** A whole request, its body included. */
  readonly requestMs: number;
  /** Between two requests of a connection. */
  readonly idleMs: number;
  /** Nothing moves in either direction, as with a client that does not read. */
  readonly stalledMs: number;
  /** One more takes the place of the oldest that has shown no key; where there is none it is closed. */
  readonly connections: number;
}

/** What a listener allows when nobody says. */
export const networkLimits: NetworkLimits = {
  headMs: 5_000,
  requestMs: 15_000,
  idleMs: 30_000,
  stalledMs: 60_000,
  connections: 128,
};

const maxHeadBytes = 16 * 1024;
/** What is being answered when the node stops gets so long. */
const closingMs = 1_000;

/** The control API on the network. Disposing it ends every connection. */
export interface NetworkServer extends AsyncDisposable {
  readonly address: HostPort;
}

/**
 * Serves the control API to whoever has an API key.
 * @throws {ControlError} API_LISTEN the address cannot be used
 */
export async function serveNetwork(options: ServeNetworkOptions): Promise<NetworkServer> {
  const { host } = options.listen;
  if (options.certificate === null && !isLoopbackIp(host)) {
    throw new ControlError(
      "API_LISTEN",
      `the API is not served without TLS on ${host}, where keys could be read on their way`,
      { host },
    );
  }
  const server = new Server(options);
  await server.listen();
  return server;
}

class Server implements NetworkServer {
  readonly #options: ServeNetworkOptions;
  readonly #limits: NetworkLimits;
  readonly #names: ReadonlySet<string>;
  readonly #app: ControlApp;
  readonly #callers: NetworkCallers;
  readonly #server: http.Server;
  readonly #sockets = new Set<Socket>();
  readonly #room: ConnectionRoom;
  /** Once a tunnel's, always a tunnel's: a port is forgotten sooner than a connection may live. */
  readonly #tunnels = new WeakMap<Duplex, string>();
  readonly #answers = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #shown = "";
  #closed: Promise<void> | undefined;
  #address: HostPort = { host: "", port: 0 };

  constructor(options: ServeNetworkOptions) {
    this.#options = options;
    this.#limits = { ...networkLimits, ...options.limits };
    this.#room = new ConnectionRoom(this.#limits.connections);
    this.#names = new Set(options.names.map((name) => name.toLowerCase()));
    const { control, apiKeys, log } = options;
    this.#app = lazyApp({ control, apiKeys, log, signal: this.#stop.signal });
    this.#callers = new NetworkCallers({
      authenticate: (key) => apiKeys.authenticate(key),
      now: options.now,
      onFailure: ({ address, tunnelFrom }) =>
        log("warn", "wrong API key", { address, peer: tunnelFrom }),
    });
    this.#server = this.#make();
  }

  get address(): HostPort {
    return this.#address;
  }

  async listen(): Promise<void> {
    const { listen, log, signal } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(listen, resolve);
    try {
      await promise;
    } catch (cause) {
      throw new ControlError(
        "API_LISTEN",
        `The API cannot listen on ${formatHostPort(listen)} (${
          errorText(cause)
        }); choose another address with --api-listen`,
        { address: formatHostPort(listen) },
        cause,
      );
    }
    this.#server.off("error", reject);
    this.#server.on("error", (error) => {
      log("warn", "API connection not accepted", { error: errorText(error) });
    });
    const { address, port } = this.#server.address() as AddressInfo;
    this.#address = { host: address, port };
    log("info", "API is listening", {
      address: formatHostPort(this.#address),
      tls: this.#options.certificate !== null,
    });
    const close = () => void this[Symbol.asyncDispose]();
    if (signal?.aborted) close();
    else signal?.addEventListener("abort", close, { once: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#stop.abort();
    const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
    const timer = setTimeout(giveUp, closingMs);
    await Promise.race([Promise.all(this.#answers), late]);
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #make(): http.Server {
    const { certificate } = this.#options;
    const { headMs, requestMs, idleMs, stalledMs, connections } = this.#limits;
    const common = {
      maxHeaderSize: maxHeadBytes,
      headersTimeout: headMs,
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: Math.min(1_000, headMs),
    };
    const answer = (message: IncomingMessage, response: ServerResponse) => {
      const answering = this.#answer(message, response);
      this.#answers.add(answering);
      void answering.finally(() => this.#answers.delete(answering));
    };
    let server: http.Server;
    if (certificate === null) server = http.createServer(common, answer);
    else {
      const shown = certificate();
      this.#shown = shown.cert;
      server = https.createServer(
        { ...common, ...tlsOptions(shown), handshakeTimeout: headMs },
        answer,
      );
    }
    // Those that are being closed still count here.
    server.maxConnections = 2 * connections;
    server.setTimeout(stalledMs, (socket: Socket) => socket.destroy());
    // Before the server's own listener, so that this very connection sees a renewed certificate.
    server.prependListener("connection", (socket: Socket) => {
      const key = connectionKey(socket);
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#room.leave(key);
      });
      socket.on("error", () => socket.destroy());
      if (!this.#room.enter(key, () => socket.destroy())) socket.destroy();
      this.#refreshCertificate();
    });
    server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
    server.on("clientError", refuseUnreadable);
    server.on("connect", (_message: IncomingMessage, socket: Duplex) => socket.destroy());
    server.on("upgrade", (_message: IncomingMessage, socket: Duplex) => {
      // A page may open a WebSocket to anywhere. There is none here.
      endWith(socket, rawProblem(400, "REQUEST_UPGRADE", "This API speaks HTTP and nothing else"));
    });
    return server;
  }

  #refreshCertificate(): void {
    const { certificate } = this.#options;
    if (certificate === null || !(this.#server instanceof https.Server)) return;
    const now = certificate();
    if (now.cert === this.#shown) return;
    this.#shown = now.cert;
    this.#server.setSecureContext(tlsOptions(now));
  }

  /** Never rejects. */
  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    let answer: Response;
    try {
      const head = readHead(message, this.#options.certificate !== null);
      answer = await this.#respond(message, head, gone.signal);
    } catch (error) {
      if (!(error instanceof PulseError)) {
        const fields = { error: errorText(error) };
        this.#options.log("error", "API request failed", fields);
      }
      answer = problemResponse(toProblem(error));
    }
    // What is left of a body that nobody reads would be taken for the next request.
    if (!message.complete) response.setHeader("connection", "close");
    try {
      await sendResponse(answer, response);
    } catch (error) {
      this.#options.log("debug", "API answer not sent", { error: errorText(error) });
      response.destroy();
    }
  }

  async #respond(
    message: IncomingMessage,
    head: RequestHead,
    gone: AbortSignal,
  ): Promise<Response> {
    const refused = refuseHead(head, this.#names);
    if (refused !== undefined) {
      const allow = refused.status === 405 ? { allow: "DELETE, GET, HEAD, POST, PUT" } : {};
      return problemResponse(refused, allow);
    }
    const authorization = head.headers.get("authorization")?.[0];
    const caller = await this.#callers.identify(authorization, this.#remoteOf(message));
    if ("problem" in caller) return problemResponse(caller.problem, caller.headers);
    if (caller.role !== "anonymous") this.#room.prove(connectionKey(message.socket));
    // Nobody without a key gets as far as having a body read.
    if (caller.role === "anonymous" && head.method !== "GET" && head.method !== "HEAD") {
      return keyRequired();
    }
    return await this.#app(await readRequest(message, head, gone), caller);
  }

  #remoteOf(message: IncomingMessage): Remote {
    const { socket } = message;
    const address = plainAddress(socket.remoteAddress ?? "");
    const loopback = isLoopbackIp(address);
    let tunnelFrom = this.#tunnels.get(socket);
    if (tunnelFrom === undefined && loopback) {
      tunnelFrom = this.#options.tunnels.originOf(socket.remotePort ?? 0);
      if (tunnelFrom !== undefined) this.#tunnels.set(socket, tunnelFrom);
    }
    return { address, loopback, tunnelFrom };
  }
}

/** The same for a connection and for the TLS on it. */
function connectionKey({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function tlsOptions({ key, cert }: ListenerCertificate) {
  return { key, cert, minVersion: "TLSv1.3" as const };
}

/** What could not be read as a request: too slow, too large, or no HTTP. */
function refuseUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  endWith(
    socket,
    error.code === "HPE_HEADER_OVERFLOW"
      ? rawProblem(431, "HEADER_TOO_LARGE", `The head is larger than ${maxHeadBytes} bytes`)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? rawProblem(408, "REQUEST_TIMEOUT", "The request did not come in time")
      : rawProblem(400, "REQUEST_UNREADABLE", "This is no HTTP request"),
  );
}

/**
 * Says a last word and closes the connection in both directions. A connection that is only ended goes on to feed its HTTP parser, which
 * Deno's node:http may have given to somebody else by then: their request would be refused in its place.
 */
function endWith(socket: Duplex, text: string): void {
  socket.end(text, () => socket.destroy());
}

function rawProblem(status: number, code: string, detail: string): string {
  const problem = makeProblem(status, code, detail);
  const body = JSON.stringify(problem);
  return `HTTP/1.1 ${status} ${problem.title}\r\ncontent-type: application/problem+json\r\n` +
    `content-length: ${body.length}\r\nconnection: close\r\n${securityHeaderLines}\r\n${body}`;
}
