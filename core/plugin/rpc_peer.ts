import { PulseError } from "../errors/mod.ts";
import { PluginError } from "./errors.ts";
import { abandonPort } from "./port_stream.ts";
import { fromWireError, toWireError } from "./wire_error.ts";
import { parseWireMessage, type WireMessage } from "./wire_message.ts";

/** A value together with the ports it hands over. */
export class WithPorts {
  readonly value: unknown;
  readonly ports: readonly MessagePort[];

  constructor(value: unknown, ports: readonly MessagePort[]) {
    this.value = value;
    this.ports = ports;
  }
}

export interface CallOptions {
  /** Without one the call ends with the answer, the signal or the channel. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly ports?: readonly MessagePort[];
}

export interface RpcHandlers {
  /** Puts a message on the channel. */
  send(message: WireMessage, ports: MessagePort[]): void;
  /** Answers a call of the other end; return `WithPorts` to hand ports over. */
  handle(
    method: string,
    args: readonly unknown[],
    ports: readonly MessagePort[],
    signal: AbortSignal,
  ): Promise<unknown>;
  notified(method: string, args: readonly unknown[]): void;
  /** Calls in flight, each way; one more is refused with PLUGIN_OVERLOADED. */
  readonly maxInFlight: number;
  /** Whose calls they are, for messages: `plugin dns`. */
  readonly label: string;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Forgets the call: timer and signal are let go of. */
  settle(): void;
}

/** One end of a typed call channel between two isolates: ids, deadlines, cancellation and bounded calls in flight. */
export class RpcPeer {
  readonly #handlers: RpcHandlers;
  readonly #pending = new Map<number, Pending>();
  readonly #serving = new Map<number, AbortController>();
  #nextId = 0;
  #closed: PulseError | undefined;

  constructor(handlers: RpcHandlers) {
    this.#handlers = handlers;
  }

  /**
   * Ports of an answer come as `WithPorts`.
   * @throws {PulseError} what the other end threw; PLUGIN_DEADLINE, PLUGIN_OVERLOADED, PLUGIN_DOWN; or the signal's reason
   */
  async call(
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    const { timeoutMs, signal, ports = [] } = options;
    try {
      if (this.#closed !== undefined) throw this.#closed;
      signal?.throwIfAborted();
      if (this.#pending.size >= this.#handlers.maxInFlight) {
        throw new PluginError(
          "PLUGIN_OVERLOADED",
          `${this.#handlers.label} has ${this.#pending.size} calls unanswered; try again when some have ended`,
        );
      }
    } catch (error) {
      ports.forEach(abandonPort);
      throw error;
    }
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const giveUp = (error: unknown) => {
      settle();
      this.#post({ type: "cancel", id });
      reject(error);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => {
      giveUp(
        new PluginError(
          "PLUGIN_DEADLINE",
          `${this.#handlers.label} did not answer ${method} within ${timeoutMs} ms`,
          { method, timeoutMs },
        ),
      );
    }, timeoutMs);
    const aborted = () => giveUp(signal?.reason);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
      this.#pending.delete(id);
    };
    signal?.addEventListener("abort", aborted);
    this.#pending.set(id, { resolve, reject, settle });
    try {
      this.#handlers.send({ type: "call", id, method, args, ports }, [...ports]);
    } catch (cause) {
      settle();
      ports.forEach(abandonPort);
      throw notPlainData(this.#handlers.label, cause);
    }
    return await promise;
  }

  notify(method: string, ...args: readonly unknown[]): void {
    this.#post({ type: "note", method, args });
  }

  /**
   * Takes a message off the channel.
   * @throws {PluginError} PLUGIN_PROTOCOL when it is none
   */
  receive(data: unknown): void {
    const message = parseWireMessage(data);
    if (message === undefined) {
      throw new PluginError("PLUGIN_PROTOCOL", `${this.#handlers.label} sent a malformed message`);
    }
    switch (message.type) {
      case "call":
        void this.#serve(message.id, message.method, message.args, message.ports);
        break;
      case "cancel":
        this.#serving.get(message.id)?.abort(
          new PluginError("PLUGIN_ABORTED", "The caller no longer wants the answer"),
        );
        break;
      case "note":
        this.#handlers.notified(message.method, message.args);
        break;
      case "error":
        this.#take(message.id)?.reject(fromWireError(message.error));
        break;
      case "result": {
        const pending = this.#take(message.id);
        // An answer that came too late: nobody will ever read from its stream.
        if (pending === undefined) message.ports.forEach(abandonPort);
        else if (message.ports.length === 0) pending.resolve(message.value);
        else pending.resolve(new WithPorts(message.value, message.ports));
      }
    }
  }

  /** Calls that wait reject with `error`, those being served are aborted, later ones are refused. Idempotent. */
  close(error: PulseError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const pending of [...this.#pending.values()]) {
      pending.settle();
      pending.reject(error);
    }
    for (const controller of this.#serving.values()) controller.abort(error);
  }

  async #serve(
    id: number,
    method: string,
    args: readonly unknown[],
    ports: readonly MessagePort[],
  ): Promise<void> {
    if (this.#closed !== undefined || this.#serving.has(id)) return ports.forEach(abandonPort);
    if (this.#serving.size >= this.#handlers.maxInFlight) {
      ports.forEach(abandonPort);
      const error = new PluginError(
        "PLUGIN_OVERLOADED",
        `More than ${this.#handlers.maxInFlight} calls of ${this.#handlers.label} at once`,
      );
      return this.#post({ type: "error", id, error: toWireError(error) });
    }
    const controller = new AbortController();
    this.#serving.set(id, controller);
    let given: readonly MessagePort[] = [];
    try {
      const result = await this.#handlers.handle(method, args, ports, controller.signal);
      const value = result instanceof WithPorts ? result.value : result;
      if (result instanceof WithPorts) given = result.ports;
      if (controller.signal.aborted) return given.forEach(abandonPort);
      this.#post({ type: "result", id, value, ports: given }, [...given]);
    } catch (error) {
      given.forEach(abandonPort);
      if (!controller.signal.aborted) this.#post({ type: "error", id, error: toWireError(error) });
    } finally {
      this.#serving.delete(id);
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    pending?.settle();
    return pending;
  }

  #post(message: WireMessage, ports: MessagePort[] = []): void {
    if (this.#closed !== undefined) return;
    try {
      this.#handlers.send(message, ports);
    } catch (cause) {
      throw notPlainData(this.#handlers.label, cause);
    }
  }
}

function notPlainData(label: string, cause: unknown): PluginError {
  return new PluginError(
    "PLUGIN_PROTOCOL",
    `Something passed to or from ${label} is not plain data`,
    {},
    cause,
  );
}
