import { systemClock } from "../clock/clock.ts";
import type { Credentials } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import { Node } from "./node.ts";
import type { NodeHooks, NodeOptions } from "./node_options.ts";

/** Hooks of a node without plugins that echoes the protocol `echo`. */
export const echoHooks: NodeHooks = {
  linkUp: () => {},
  linkDown: () => {},
  protocols: () => ["echo"],
  handleStream: async (_protocol, stream) => {
    for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
      await stream.write(chunk);
    }
    await stream.closeWrite();
    return true;
  },
  join: () => Promise.resolve(),
};

export interface TestNode {
  readonly node: Node;
  /** What it logged, `level message fields`. */
  readonly lines: string[];
}

/** A real node on a free loopback port, without plugins and without a data directory. */
export async function startTestNode(
  credentials: Credentials,
  options: Partial<NodeOptions> = {},
): Promise<TestNode & AsyncDisposable> {
  const lines: string[] = [];
  const log: LogFn = (level, message, fields) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const node = await Node.start({
    network: credentials.certificate.network,
    credentials,
    listen: { host: "127.0.0.1", port: 0 },
    advertise: "none",
    interfaces: () => [],
    peers: [],
    remembered: [],
    dialLearned: true,
    targets: { any: true, allowsLocalPort: () => true },
    quic: true,
    websocket: true,
    capabilities: ["relay"],
    clock: systemClock,
    log,
    initialSequence: 1,
    hooks: echoHooks,
    ...options,
  });
  return { node, lines, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

/** Polls until the check gives something; the error tells what was waited for. */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | null,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = check();
    if (value !== undefined && value !== false && value !== null) return value;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 20);
    await promise;
  }
}
