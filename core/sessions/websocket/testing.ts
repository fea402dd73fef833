/** Members of a test network and sessions between them. @module */
import { createTestCa, type TestCa } from "../../identity/testing.ts";
import type { Credentials, NodeCertificate } from "../../identity/types.ts";
import type { MakePair } from "../compliance/mod.ts";
import type { LinkPolicy } from "../types.ts";
import { listenWebSocket } from "./websocket_listener.ts";
import { WebSocketTransport } from "./websocket_transport.ts";

/** A node's policy whose credentials may be replaced and which may refuse. */
export class TestPolicy implements LinkPolicy {
  readonly network: string;
  current: Credentials;
  admit: (peer: NodeCertificate) => void = () => {};
  constructor(network: string, credentials: Credentials) {
    this.network = network;
    this.current = credentials;
  }
  credentials(): Credentials {
    return this.current;
  }
  now(): number {
    return Date.now();
  }
}

/** A policy with fresh credentials of `ca`. */
export async function member(ca: TestCa): Promise<TestPolicy> {
  return new TestPolicy(ca.network, await ca.issue());
}

/** Two members of a new network with one session between them. */
export const webSocketPair: MakePair = async (limits = {}) => {
  const ca = await createTestCa();
  const [near, far] = [await member(ca), await member(ca)];
  const listener = await listenWebSocket({ host: "127.0.0.1", port: 0, policy: far, limits });
  const transport = new WebSocketTransport({ policy: near, limits });
  const [dialler, acceptor] = await Promise.all([
    transport.dial(
      { ...listener.address, expect: far.current.certificate.id },
      { signal: new AbortController().signal },
    ),
    listener.accept(),
  ]);
  if (acceptor === null) throw new Error("the listener closed before the session was accepted");
  return {
    dialler,
    acceptor,
    async dispose() {
      await Promise.all([dialler.close(), acceptor.close()]);
      await transport[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
};
