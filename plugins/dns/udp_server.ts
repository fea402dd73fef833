import { errorText } from "../../core/errors/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import { maxQueryBytes } from "./constants.ts";
import type { Gate } from "./gate.ts";
import type { Responder, Response } from "./responder.ts";

/** Questions whose answer is on its way or waited for; beyond it new ones are dropped. */
const maxPending = 1_024;

/** After a receive that failed, so that a lasting failure costs little. */
const pauseMs = 20;

export interface UdpServerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly responder: Responder;
  readonly gate: Gate;
  readonly log: LogFn;
}

/** Answers datagrams. */
export class UdpServer implements AsyncDisposable {
  readonly #options: UdpServerOptions;
  readonly #socket: Deno.DatagramConn;
  readonly #running: Promise<void>;
  #pending = 0;
  #closed = false;
  readonly counters = { queries: 0, dropped: 0 };

  /** Listens at once. @throws {Deno.errors.AddrInUse} */
  constructor(options: UdpServerOptions) {
    this.#options = options;
    const { hostname, port } = options;
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    this.#running = this.#run();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async #run(): Promise<void> {
    // One byte more than a question may have: what fills it was cut off, and is malformed.
    const buffer = new Uint8Array(maxQueryBytes + 1);
    while (!this.#closed) {
      try {
        const [message, from] = await this.#socket.receive(buffer);
        this.#serve(message, from as Deno.NetAddr);
      } catch (error) {
        if (this.#closed) return;
        // Linux reports here what became of an earlier answer, such as that its receiver is gone.
        this.#options.log("debug", "receiving failed", { error: errorText(error) });
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  #serve(message: Uint8Array, from: Deno.NetAddr): void {
    this.counters.queries++;
    if (this.#pending >= maxPending || !this.#options.gate.admits(from.hostname)) {
      this.counters.dropped++;
      return;
    }
    const response = this.#options.responder.respond(message, "udp");
    if (response === null) return;
    this.#pending++;
    this.#reply(response, from).catch((error: unknown) => {
      this.#options.log("debug", "an answer could not be sent", { error: errorText(error) });
    }).finally(() => this.#pending--);
  }

  async #reply(response: Response | Promise<Response>, to: Deno.NetAddr): Promise<void> {
    const bytes = response instanceof Promise ? await response : response;
    if (bytes !== null && !this.#closed) await this.#socket.send(bytes, to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#socket.close();
    await this.#running;
  }
}
