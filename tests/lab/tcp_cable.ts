import { setTimeout as sleep } from "node:timers/promises";
import { ChunkQueue } from "./chunk_queue.ts";

const CHUNK = 65_536;
/** Bytes under way per direction of one connection while a delay is set; without one, a single chunk. */
const MOST_DELAYED = 4 << 20;

type Direction = "toTarget" | "fromTarget";

interface Timed {
  readonly chunk: Uint8Array;
  /** Monotonic milliseconds. */
  readonly dueAt: number;
}

/** The TCP half of a `Cable`. */
export class TcpCable implements AsyncDisposable {
  readonly bytes: Record<Direction, number> = { toTarget: 0, fromTarget: 0 };
  delayMs = 0;
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #listener: Deno.TcpListener;
  readonly #accepting: Promise<void>;
  /** What passes through, and how to end it. */
  readonly #running = new Map<AbortController, Promise<void>>();
  /** Pending while the cable is cut. */
  #plugged: Promise<void> = Promise.resolve();
  #plugIn: (() => void) | undefined;
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  /** @throws {Deno.errors.AddrInUse} */
  constructor(target: { readonly hostname: string; readonly port: number }, port: number) {
    this.#target = target;
    const hostname = target.hostname.includes(":") ? "::1" : "127.0.0.1";
    this.#listener = Deno.listen({ hostname, port });
    this.#accepting = this.#accept();
  }

  set cut(cut: boolean) {
    if (this.#closed || cut === (this.#plugIn !== undefined)) return;
    this.#plugIn?.();
    this.#plugIn = undefined;
    if (!cut) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#plugged = promise;
    this.#plugIn = resolve;
  }

  breakAll(): void {
    for (const connection of this.#running.keys()) connection.abort();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const connection = new AbortController();
      const task = this.#serve(client, connection);
      this.#running.set(connection, task);
      task.catch((error) => this.#failure ??= { error }).finally(() =>
        this.#running.delete(connection)
      );
    }
  }

  async #serve(client: Deno.TcpConn, connection: AbortController): Promise<void> {
    const { signal } = connection;
    const ends = [client];
    const closeBoth = () => ends.forEach(close);
    signal.addEventListener("abort", closeBoth);
    try {
      await this.#plugged;
      const target = await Deno.connect({ ...this.#target });
      ends.push(target);
      signal.throwIfAborted();
      for (const end of ends) end.setNoDelay(true);
      const both = [
        this.#forward(client, target, "toTarget", signal),
        this.#forward(target, client, "fromTarget", signal),
      ];
      await Promise.all(both).finally(() => {
        connection.abort();
        return Promise.allSettled(both);
      });
    } catch (error) {
      // The other end learns of it by the close below.
      if (error !== signal.reason && !isConnectionEnd(error)) throw error;
    } finally {
      closeBoth();
    }
  }

  /** Copies until the end of the stream, which it passes on. */
  async #forward(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    direction: Direction,
    signal: AbortSignal,
  ): Promise<void> {
    const queue = new ChunkQueue<Timed>();
    const abort = () => queue.fail(signal.reason);
    signal.addEventListener("abort", abort);
    const both = [this.#read(from, queue), this.#write(queue, to, direction, signal)];
    try {
      await Promise.all(both);
    } catch (error) {
      queue.fail(error);
      close(from);
      close(to);
      await Promise.allSettled(both);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #read(from: Deno.TcpConn, queue: ChunkQueue<Timed>): Promise<void> {
    for (;;) {
      const buffer = new Uint8Array(CHUNK);
      await this.#plugged;
      const length = await from.read(buffer);
      if (length === null) return queue.end();
      const limit = this.delayMs > 0 ? MOST_DELAYED : 1;
      const dueAt = performance.now() + this.delayMs;
      await queue.put({ chunk: buffer.subarray(0, length), dueAt }, length, limit);
    }
  }

  async #write(
    queue: ChunkQueue<Timed>,
    to: Deno.TcpConn,
    direction: Direction,
    signal: AbortSignal,
  ): Promise<void> {
    for (let next = await queue.take(); next !== undefined; next = await queue.take()) {
      const wait = next.dueAt - performance.now();
      if (wait > 0) await sleep(wait, undefined, { signal });
      await this.#plugged;
      for (let at = 0; at < next.chunk.length;) at += await to.write(next.chunk.subarray(at));
      this.bytes[direction] += next.chunk.length;
    }
    await this.#plugged;
    await to.closeWrite();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.cut = false;
    this.#closed = true;
    this.#listener.close();
    this.breakAll();
    await this.#accepting;
    this.breakAll();
    await Promise.allSettled(this.#running.values());
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function isConnectionEnd(error: unknown): boolean {
  const {
    BadResource,
    BrokenPipe,
    ConnectionAborted,
    ConnectionRefused,
    ConnectionReset,
    Interrupted,
    NotConnected,
  } = Deno.errors;
  return [
    BadResource,
    BrokenPipe,
    ConnectionAborted,
    ConnectionRefused,
    ConnectionReset,
    Interrupted,
    NotConnected,
  ].some((kind) => error instanceof kind) ||
    (error instanceof Error && error.name === "AbortError");
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
