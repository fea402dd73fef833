import { errorCode, errorText } from "../../core/errors/mod.ts";
import { splice } from "../../core/plugin/splice.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { connToStream } from "../../core/streams/conn_stream.ts";
import { acceptConnections } from "./accept_connections.ts";
import type { Connect } from "./connector.ts";
import { SocksProtocol, type SocksRequest, type SocksUsers } from "./socks_protocol.ts";
import { encodeReply, replyForCode, socksReply } from "./socks_reply.ts";

/** What one client and all clients may hold. */
export interface SocksLimits {
  /** Beyond it new connections are closed at once. */
  readonly maxConnections: number;
  /** Connections that have not said yet where they want to go; beyond it new ones are closed at once. */
  readonly maxHandshakes: number;
  readonly handshakeTimeoutMs: number;
  /** For a refused client to read the reason. */
  readonly lingerMs: number;
}

export const defaultSocksLimits: SocksLimits = {
  maxConnections: 1024,
  maxHandshakes: 256,
  handshakeTimeoutMs: 10_000,
  lingerMs: 2_000,
};

export interface SocksServerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly users: SocksUsers;
  /** Opens the way a request asks for. */
  readonly connect: Connect;
  readonly log: LogFn;
  readonly limits?: Partial<SocksLimits>;
}

/** Accepts SOCKS clients and joins each with the stream its request leads to. */
export class SocksServer implements AsyncDisposable {
  readonly #options: SocksServerOptions;
  readonly #limits: SocksLimits;
  readonly #listener: Deno.TcpListener;
  readonly #clients = new Set<ByteStream>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #handshakes = 0;
  /** Since the start. */
  readonly counters = { accepted: 0, rejected: 0, connected: 0, failed: 0 };
  /** Bytes carried since the start: `aToB` from clients into the mesh, `bToA` back. */
  readonly bytes = { aToB: 0, bToA: 0 };

  /** Listens at once. @throws {Deno.errors.AddrInUse} */
  constructor(options: SocksServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultSocksLimits, ...options.limits };
    this.#listener = Deno.listen({ hostname: options.hostname, port: options.port });
    const { log } = options;
    this.#track(acceptConnections(this.#listener, (conn) => this.#welcome(conn), log));
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get connections(): number {
    return this.#clients.size;
  }

  get limits(): SocksLimits {
    return this.#limits;
  }

  #welcome(conn: Deno.TcpConn): void {
    const { maxConnections, maxHandshakes } = this.#limits;
    if (this.#clients.size >= maxConnections || this.#handshakes >= maxHandshakes) {
      this.counters.rejected++;
      conn.close();
      return;
    }
    this.counters.accepted++;
    // A client that vanished without a word is found out in the end.
    conn.setKeepAlive(true);
    const client = connToStream(conn);
    this.#clients.add(client);
    this.#track(
      this.#serve(client).finally(() => {
        client.reset();
        this.#clients.delete(client);
      }),
    );
  }

  async #serve(client: ByteStream): Promise<void> {
    const protocol = new SocksProtocol(this.#options.users);
    const request = await this.#handshake(client, protocol);
    if (request === undefined) return;
    const stream = await this.#connect(client, request);
    if (stream === undefined) return;
    try {
      await client.write(encodeReply(socksReply.succeeded));
      const early = protocol.rest();
      if (early.length > 0) await stream.write(early);
      this.bytes.aToB += early.length;
      await splice(client, stream, this.bytes);
    } finally {
      stream.reset();
    }
  }

  /** Where the client wants to go; undefined when it has been answered and is to go away. */
  async #handshake(client: ByteStream, protocol: SocksProtocol): Promise<SocksRequest | undefined> {
    this.#handshakes++;
    const timer = setTimeout(() => client.reset(), this.#limits.handshakeTimeoutMs);
    try {
      for (;;) {
        const chunk = await client.read();
        if (chunk === null) return undefined;
        const step = protocol.push(chunk);
        if (step.end) {
          await this.#farewell(client, step.send);
          return undefined;
        }
        if (step.send.length > 0) await client.write(step.send);
        if (step.request !== undefined) return step.request;
      }
    } catch (error) {
      this.#options.log("debug", "client gave up or broke the protocol", {
        error: errorText(error),
      });
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#handshakes--;
    }
  }

  async #connect(client: ByteStream, request: SocksRequest): Promise<ByteStream | undefined> {
    try {
      const stream = await this.#options.connect(request, this.#stop.signal);
      this.counters.connected++;
      return stream;
    } catch (error) {
      this.counters.failed++;
      this.#options.log("info", "connection failed", {
        target: `${request.host}:${request.port}`,
        code: errorCode(error),
        error: errorText(error),
      });
      await this.#farewell(client, encodeReply(replyForCode(errorCode(error))));
      return undefined;
    }
  }

  /**
   * Says the last word and waits a little for the client to take its leave: closing while more is on its way from it would make
   * the kernel answer with a reset, which may overtake the reply.
   */
  async #farewell(client: ByteStream, reply: Uint8Array): Promise<void> {
    const timer = setTimeout(() => client.reset(), this.#limits.lingerMs);
    try {
      await client.write(reply);
      await client.closeWrite();
      while (await client.read() !== null);
    } catch (error) {
      this.#options.log("debug", "refused client left early", { error: errorText(error) });
    } finally {
      clearTimeout(timer);
    }
  }

  #track(task: Promise<void>): void {
    const settled = task.catch((error: unknown) => {
      this.#options.log("debug", "connection ended", { error: errorText(error) });
    }).finally(() => this.#tasks.delete(settled));
    this.#tasks.add(settled);
  }

  /** Closes the listener and every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#listener.close();
    for (const client of this.#clients) client.reset();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}
