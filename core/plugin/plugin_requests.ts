import { z } from "zod";
import type { ByteStream } from "../sessions/types.ts";
import { BufferPool } from "./buffer_pool.ts";
import { PluginError } from "./errors.ts";
import type { GuardedServices } from "./guarded_services.ts";
import { isJson } from "./json_value.ts";
import { PortStream } from "./port_stream.ts";
import { WithPorts } from "./rpc_peer.ts";
import { splice } from "./splice.ts";
import type { StreamSet } from "./stream_set.ts";
import type { JoinConversation, Json } from "./types.ts";

const nodeText = z.string().min(1).max(300);
const streamRequest = z.strictObject({
  // Nothing where the exit is to be found that leads to the target.
  node: z.union([nodeText, z.literal("")]),
  protocol: z.string().min(1).max(64),
  target: z.string().max(300).optional(),
  port: z.int().min(0).max(65_535),
});
const name = z.string().min(1).max(64);
const json = z.custom<Json>(isJson, "is not plain data");
const id = z.int().min(0);
const joinMessage = z.instanceof(Uint8Array).refine((bytes) => bytes.length <= 16 * 1024, {
  error: "is longer than 16 KiB",
});

const logNote = z.tuple([
  z.enum(["debug", "info", "warn", "error"]),
  z.string(),
  z.record(z.string(), z.unknown()),
]);
const emitNote = z.tuple([z.string(), z.record(z.string(), z.unknown())]);

/**
 * Answers what a plugin asks of core from its Worker. Every argument is checked: the plugin may send anything, with or without
 * the code that is meant to speak for it.
 */
export class PluginRequests {
  readonly #services: GuardedServices;
  readonly #streams: StreamSet;
  readonly #pool: BufferPool;
  readonly #joins = new Map<number, JoinConversation>();
  readonly #carried = new Set<PortStream>();
  #nextJoin = 0;

  constructor(services: GuardedServices, streams: StreamSet, pool: BufferPool) {
    this.#services = services;
    this.#streams = streams;
    this.#pool = pool;
  }

  /** @throws {PulseError} */
  async handle(
    method: string,
    args: readonly unknown[],
    signal: AbortSignal,
  ): Promise<unknown> {
    switch (method) {
      case "self":
        return await this.#services.self();
      case "peers":
        return await this.#services.peers();
      case "resolveNode":
        return await this.#services.resolveNode(take(nodeText, args[0], "node"));
      case "openStream": {
        const { target, ...rest } = take(streamRequest, args[0], "stream request");
        const request = { ...rest, ...(target !== undefined && { target }) };
        const stream = await this.#services.openStream(request, { signal });
        const { peer, path } = stream;
        return new WithPorts({ peer, path }, [this.carry(stream)]);
      }
      case "call":
        return await this.#services.call(
          take(name, args[0], "service"),
          take(name, args[1], "method"),
          take(json, args[2], "argument"),
        );
      case "joinReceive":
        return await this.#join(args[0]).receive();
      case "joinSend":
        return await this.#join(args[0]).send(take(joinMessage, args[1], "join message"));
      default:
        throw new PluginError("PLUGIN_PROTOCOL", `The host has no method ${method.slice(0, 64)}`);
    }
  }

  /** `log` and `emit`; anything else is ignored. @throws {PluginError} PLUGIN_PROTOCOL */
  notified(method: string, args: readonly unknown[]): void {
    if (method === "log") {
      const [level, message, fields] = take(logNote, args, "log line");
      this.#services.log(level, message, fields as Record<string, Json>);
    } else if (method === "emit") {
      const [type, fields] = take(emitNote, args, "event");
      this.#services.emit(type, fields as Record<string, Json>);
    }
  }

  /** Joins a stream of the mesh to a new port; the other end of it is for the plugin. */
  carry(stream: ByteStream): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const near = new PortStream(port1, this.#pool);
    this.#carried.add(near);
    void splice(stream, near).then(() => this.#carried.delete(near));
    return port2;
  }

  /** Lets the plugin talk to `conversation` while `talk` runs. */
  async withJoin(
    conversation: JoinConversation,
    talk: (id: number) => Promise<unknown>,
  ): Promise<void> {
    const id = this.#nextJoin++;
    this.#joins.set(id, conversation);
    try {
      await talk(id);
    } finally {
      this.#joins.delete(id);
    }
  }

  /** Ends every stream the plugin has. */
  end(): void {
    this.#streams.end();
    // A stream whose mesh side has ended may still wait for the plugin to read on.
    for (const near of this.#carried) near.reset();
  }

  #join(value: unknown): JoinConversation {
    const conversation = this.#joins.get(take(id, value, "join"));
    if (conversation !== undefined) return conversation;
    throw new PluginError("PLUGIN_ABORTED", "The join conversation is over");
  }
}

function take<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new PluginError(
    "PLUGIN_PROTOCOL",
    `Not a ${what}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? "malformed"}`,
  );
}
