import { errorCode, errorText } from "../../core/errors/mod.ts";
import { splice } from "../../core/plugin/splice.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { connToStream } from "../../core/streams/conn_stream.ts";
import { acceptConnections } from "./accept_connections.ts";
import type { Connect } from "./connector.ts";
import {
  SocksProtocol,
  type SocksRequest,
  type SocksStep,
  type SocksUsers,
} from "./socks_protocol.ts";
import { encodeReply, replyForCode, socksReply } from "./socks_reply.ts";
import { UdpAssociation } from "./udp_association.ts";

/** What one client and all clients may hold. */
export interface SocksLimits {
  /** Beyond it new connections are closed at once. */
  readonly maxConnections: number;
  /** Connections that have not said yet where they want to go; beyond it new ones are closed at once. */
  readonly maxHandshakes: number;
  /** Clients that send datagrams; beyond it UDP ASSOCIATE is refused. */
  readonly maxAssociations: number;
  /** Destinations of one such client; beyond it the one used longest ago makes room. */
  readonly maxFlows: number;
  readonly handshakeTimeoutMs: number;
  /** For a refused client to read the reason. */
  readonly lingerMs: number;
}

export const defaultSocksLimits: SocksLimits = {
  maxConnections: 1024,
  maxHandshakes: 256,
  maxAssociations: 64,
  maxFlows: 64,
  handshakeTimeoutMs: 10_000,
  lingerMs: 2_000,
};

export interface SocksServerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly users: SocksUsers;
  /** Opens the way a request asks for. */
  readonly connect: Connect;
  /** Opens a stream of datagrams to where a client sends one; undefined: UDP ASSOCIATE is refused. */
  readonly associate?: Connect | undefined;
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
  #associations = 0;
  /** Since the start. */
  readonly counters = { accepted: 0, rejected: 0, connected: 0, failed: 0 };
  /** Bytes carried since the start: `aToB` from clients into the mesh, `bToA` back; and datagrams lost on the way in or out. */
  readonly bytes = { aToB: 0, bToA: 0, dropped: 0 };

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
      this.#serve(client, conn).finally(() => {
        client.reset();
        this.#clients.delete(client);
      }),
    );
  }

  async #serve(client: ByteStream, conn: Deno.TcpConn): Promise<void> {
    const protocol = new SocksProtocol(this.#options.users);
    const { request, associate } = await this.#handshake(client, protocol) ?? {};
    if (associate !== undefined) return await this.#associate(client, conn, associate.port);
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

  /** RFC 1928 section 7: datagrams are carried for as long as the connection that asked for it lives. */
  async #associate(client: ByteStream, conn: Deno.TcpConn, clientPort: number): Promise<void> {
    const { associate, log } = this.#options;
    if (associate === undefined) {
      return await this.#refuse(client, socksReply.commandNotSupported);
    }
    if (this.#associations >= this.#limits.maxAssociations) {
      return await this.#refuse(client, socksReply.generalFailure);
    }
    this.#associations++;
    try {
      await using association = new UdpAssociation({
        local: conn.localAddr.hostname,
        client: conn.remoteAddr.hostname,
        clientPort,
        maxFlows: this.#limits.maxFlows,
        connect: associate,
        tally: this.bytes,
        log,
      });
      this.counters.connected++;
      await client.write(encodeReply(socksReply.succeeded, association.bound));
      while (await client.read() !== null);
    } catch (error) {
      if (errorCode(error) !== "SOCKS_UDP") throw error;
      log("warn", "datagrams cannot be taken", { error: errorText(error) });
      await this.#refuse(client, socksReply.generalFailure);
    } finally {
      this.#associations--;
    }
  }

  async #refuse(client: ByteStream, reply: number): Promise<void> {
    this.counters.failed++;
    await this.#farewell(client, encodeReply(reply));
  }

  /** What the client wants; undefined when it has been answered and is to go away. */
  async #handshake(client: ByteStream, protocol: SocksProtocol): Promise<SocksStep | undefined> {
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
        if (step.request !== undefined || step.associate !== undefined) return step;
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
      this.#options.log("info", "connection failed", {
        target: `${request.host}:${request.port}`,
        code: errorCode(error),
        error: errorText(error),
      });
      await this.#refuse(client, replyForCode(errorCode(error)));
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
