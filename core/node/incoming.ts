import { errorText } from "../errors/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import {
  carryDatagrams,
  connToStream,
  Deadline,
  type IncomingRequest,
  type IncomingStream,
  openTimeoutMs,
  pipe,
  StreamError,
} from "../streams/mod.ts";
import type { TargetPolicy } from "./target.ts";
import { targetProtocol } from "./target_protocols.ts";
import { dialTcpTarget } from "./tcp_target.ts";
import { udpTarget } from "./udp_target.ts";

export interface IncomingOptions {
  /** Hands a stream to the plugin that serves its protocol. */
  handle(protocol: string, stream: ByteStream, from: IncomingStream): Promise<boolean>;
  /** Protocols plugins serve. */
  protocols(): readonly string[];
  /** Which TCP and UDP targets other members may reach through this node. */
  readonly targets: TargetPolicy;
  readonly log: LogFn;
}

/** Serves a request that ends at this node: a TCP or UDP target, or a plugin's protocol. */
export async function serveRequest(
  request: IncomingRequest,
  options: IncomingOptions,
): Promise<void> {
  const { from } = request;
  try {
    const led = targetProtocol(from.protocol)?.carries;
    if (led === "tcp") return await serveTcp(request, options);
    if (led === "udp") return await serveUdp(request, options);
    if (!options.protocols().includes(from.protocol)) {
      return await request.refuse(
        "STREAM_NO_PROTOCOL",
        `This node does not serve ${from.protocol}`,
      );
    }
    const stream = await request.accept();
    if (!await options.handle(from.protocol, stream, from)) stream.reset();
  } catch (error) {
    options.log("debug", "stream ended with an error", {
      peer: from.origin.id,
      protocol: from.protocol,
      error: errorText(error),
    });
  }
}

async function serveTcp(request: IncomingRequest, options: IncomingOptions): Promise<void> {
  const conn = await reach(
    request,
    options,
    (target, signal) => dialTcpTarget(target, options.targets, signal),
  );
  if (conn === undefined) return;
  const local = connToStream(conn);
  using _tunnel = options.targets.opened?.(conn.localAddr.port, request.from.origin.id);
  try {
    await pipe(await request.accept(), local);
  } finally {
    local.reset();
  }
}

async function serveUdp(request: IncomingRequest, options: IncomingOptions): Promise<void> {
  const target = await reach(request, options, (text) => udpTarget(text, options.targets));
  if (target !== undefined) await carryDatagrams(await request.accept(), target);
}

/** What `find` gives for the target asked for; undefined: the request has been refused. */
async function reach<T>(
  request: IncomingRequest,
  options: IncomingOptions,
  find: (target: string, signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const { from } = request;
  try {
    // A little less patience than the opener has, so that it hears the reason.
    using deadline = new Deadline(openTimeoutMs - 1_000);
    const target = from.target ?? "";
    if (Number(target.slice(target.lastIndexOf(":") + 1)) !== from.port) {
      throw new StreamError("STREAM_TARGET_INVALID", "The target's port is not the declared one");
    }
    return await find(target, deadline.signal);
  } catch (error) {
    const status = error instanceof StreamError ? error.status : "STREAM_FAILED";
    options.log("info", "target refused", {
      peer: from.origin.id,
      status,
      error: errorText(error),
    });
    await request.refuse(status, errorText(error));
    return undefined;
  }
}
