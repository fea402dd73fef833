import type { Credentials } from "../../../core/identity/mod.ts";
import type { Node } from "../../../core/node/node.ts";
import type { NodeHooks } from "../../../core/node/node_options.ts";
import { echoHooks, startTestNode, until } from "../../../core/node/testing.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import type { Carrier } from "./carrier.ts";

const protocol = "bench";
const reachableWithinMs = 20_000;

/** Whole nodes: gossip finds the path, and what goes through a relay is encrypted from end to end. */
export const meshNode: Carrier = {
  async listen(credentials, relayPort) {
    let serve: ((stream: ByteStream) => Promise<void>) | undefined;
    const { node } = await startNode(credentials, relayPort, {
      ...echoHooks,
      protocols: () => [protocol],
      async handleStream(_protocol, stream) {
        await serve?.(stream);
        return serve !== undefined;
      },
    });
    return {
      port: node.listeners.address.port,
      serve: (onStream) => serve = onStream,
      [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
    };
  },

  async dial(credentials, port, peer) {
    const { node } = await startNode(credentials, port, echoHooks);
    await until("a path to the peer", () => !("reason" in node.paths(peer)), reachableWithinMs);
    return {
      openStream: () => node.openStream({ destination: peer, protocol, port: 0 }),
      [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
    };
  },
};

function startNode(
  credentials: Credentials,
  peerPort: number | undefined,
  hooks: NodeHooks,
): Promise<{ node: Node }> {
  const peers = peerPort === undefined ? [] : [{ host: "127.0.0.1", port: peerPort }];
  return startTestNode(credentials, { peers, hooks });
}
