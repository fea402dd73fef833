import { errorText } from "../../core/errors/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import { maxQueryBytes } from "./constants.ts";
import type { Gate } from "./gate.ts";
import type { Responder, Response } from "./responder.ts";
import { readExactly, writeAll } from "./tcp_frame.ts";

/** What one client and all clients may hold. */
export interface TcpLimits {
  /** Beyond it new connections are closed at once. */
  readonly maxConnections: number;
  /** Of one client address. */
  readonly maxPerClient: number;
  /** Questions of one connection without an answer yet; beyond it no more is read. */
  readonly maxPipelined: number;
  /** Without a whole question, or with an answer that is not taken. */
  readonly idleMs: number;
}

export const defaultTcpLimits: TcpLimits = {
  maxConnections: 256,
  maxPerClient: 64,
  maxPipelined: 32,
  idleMs: 10_000,
};

export interface TcpServerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly responder: Responder;
  readonly gate: Gate;
  readonly log: LogFn;
  readonly limits?: Partial<TcpLimits>;
}

/** After an accept that failed for want of a file descriptor. */
const pauseMs = 100;

/** Answers questions on connections, RFC 7766: many on one, in the order the answers come. */
export class TcpServer implements AsyncDisposable {
  readonly #options: TcpServerOptions;
  readonly #limits: TcpLimits;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Map<TcpClient, Promise<void>>();
  readonly #running: Promise<void>;
  #closed = false;
  readonly counters = { connections: 0, rejected: 0, queries: 0 };

  /** Listens at once. @throws {Deno.errors.AddrInUse} */
  constructor(options: TcpServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultTcpLimits, ...options.limits };
    this.#listener = Deno.listen({ hostname: options.hostname, port: options.port });
    this.#running = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        this.#welcome(await this.#listener.accept());
      } catch (error) {
        if (this.#closed) return;
        this.#options.log("warn", "connections cannot be accepted", { error: errorText(error) });
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  #welcome(conn: Deno.TcpConn): void {
    const { hostname } = conn.remoteAddr;
    const own = [...this.#connections.keys()].filter((client) => client.address === hostname);
    const { maxConnections, maxPerClient } = this.#limits;
    const full = this.#connections.size >= maxConnections || own.length >= maxPerClient;
    if (full || !this.#options.gate.admits(hostname)) {
      this.counters.rejected++;
      conn.close();
      return;
    }
    this.counters.connections++;
    const client = new TcpClient(conn, this.#limits, (message) => {
      this.counters.queries++;
      return this.#options.gate.admits(hostname)
        ? this.#options.responder.respond(message, "tcp")
        : null;
    });
    const done = client.run().catch((error: unknown) => {
      this.#options.log("debug", "connection ended", { error: errorText(error) });
    }).finally(() => this.#connections.delete(client));
    this.#connections.set(client, done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#listener.close();
    for (const client of this.#connections.keys()) client.close();
    await Promise.all([this.#running, ...this.#connections.values()]);
  }
}

/** One connection. */
class TcpClient {
  readonly address: string;
  readonly #conn: Deno.TcpConn;
  readonly #limits: TcpLimits;
  readonly #respond: (message: Uint8Array) => Response | Promise<Response>;
  readonly #pending = new Set<Promise<void>>();
  /** Answers are written one after the other. */
  #written: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    conn: Deno.TcpConn,
    limits: TcpLimits,
    respond: (message: Uint8Array) => Response | Promise<Response>,
  ) {
    this.address = conn.remoteAddr.hostname;
    this.#conn = conn;
    this.#limits = limits;
    this.#respond = respond;
  }

  close(): void {
    this.#conn[Symbol.dispose]();
  }

  async run(): Promise<void> {
    try {
      this.#rest();
      for (;;) {
        const head = await readExactly(this.#conn, 2);
        if (head === null) break;
        const length = head[0]! << 8 | head[1]!;
        // Nobody asks that much; what follows could not be told from the rest of it.
        if (length > maxQueryBytes || length === 0) return;
        const message = await readExactly(this.#conn, length);
        if (message === null) return;
        this.#rest();
        this.#take(message);
        if (this.#pending.size >= this.#limits.maxPipelined) await Promise.race(this.#pending);
      }
      // It has asked all it wants, and still waits for the answers.
      await Promise.all(this.#pending);
    } finally {
      clearTimeout(this.#timer);
      this.close();
      await Promise.all(this.#pending);
    }
  }

  /** Begins the time again after which a silent client is sent away. */
  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), this.#limits.idleMs);
  }

  #take(message: Uint8Array): void {
    const response = this.#respond(message);
    if (response === null) return;
    const task = this.#send(response).catch(() => {
      // The connection is gone, which its reader finds out too.
      this.close();
    }).finally(() => this.#pending.delete(task));
    this.#pending.add(task);
  }

  async #send(response: Response | Promise<Response>): Promise<void> {
    const bytes = await response;
    if (bytes === null) return;
    const framed = new Uint8Array(2 + bytes.length);
    framed.set([bytes.length >> 8, bytes.length & 255]);
    framed.set(bytes, 2);
    const before = this.#written;
    this.#written = before.then(() => writeAll(this.#conn, framed));
    await this.#written;
  }
}
