import v8 from "node:v8";
import vm from "node:vm";
import type { Credentials } from "../../identity/mod.ts";
import { createTestCa, type TestCa } from "../../identity/testing.ts";
import type { LinkPolicy, Session, SessionLimits } from "../types.ts";
import { QuicTransport, type QuicTransportOptions } from "./mod.ts";

/** Support for tests and benchmarks. */

export const testNetwork = "lab";

/** Made once: certificates cost more than the tests. */
let shared: Promise<TestCa> | undefined;

export function testCa(): Promise<TestCa> {
  return shared ??= createTestCa(testNetwork);
}

export function testPolicy(credentials: Credentials, more: Partial<LinkPolicy> = {}): LinkPolicy {
  return {
    network: testNetwork,
    credentials: () => credentials,
    admit: () => {},
    now: () => Date.now(),
    ...more,
  };
}

export interface TestNode extends AsyncDisposable {
  readonly credentials: Credentials;
  readonly id: string;
  readonly transport: QuicTransport;
}

/** A node on a free port of 127.0.0.1. */
export async function testNode(
  more: Partial<QuicTransportOptions> & { credentials?: Credentials; admit?: LinkPolicy["admit"] } =
    {},
): Promise<TestNode> {
  const { credentials = await (await testCa()).issue(), admit, ...options } = more;
  const transport = await QuicTransport.open({
    host: "127.0.0.1",
    port: 0,
    policy: testPolicy(credentials, admit === undefined ? {} : { admit }),
    ...options,
  });
  return {
    credentials,
    id: credentials.certificate.id,
    transport,
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

/** A session between two nodes: the dialler's end, then the acceptor's. */
export async function connectNodes(
  from: TestNode,
  to: TestNode,
  signal: AbortSignal = new AbortController().signal,
): Promise<[Session, Session]> {
  const accepting = to.transport.accept();
  const dialler = await from.transport.dial({ ...to.transport.address, expect: to.id }, { signal });
  const acceptor = await accepting;
  if (acceptor === null) throw new Error("The acceptor was closed");
  return [dialler, acceptor];
}

/** Two nodes and a session between them. */
export async function sessionPair(
  limits: Partial<SessionLimits> = {},
): Promise<{ dialler: Session; acceptor: Session; dispose(): Promise<void> }> {
  const [near, far] = await Promise.all([testNode({ limits }), testNode({ limits })]);
  const [dialler, acceptor] = await connectNodes(near, far);
  return {
    dialler,
    acceptor,
    async dispose() {
      await near.transport.close();
      await far.transport.close();
    },
  };
}

/** Waits for a state of affairs that no promise announces. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Not within 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Dials as somebody who knows the CA certificate, and nothing else, would. */
export async function strangerConnection(
  to: TestNode,
  endpoint: Deno.QuicEndpoint,
): Promise<Deno.QuicConn> {
  return await Deno.connectQuic({
    endpoint,
    hostname: to.transport.address.host,
    port: to.transport.address.port,
    serverName: `${to.id}.${testNetwork}.pulse.internal`,
    alpnProtocols: ["pulse/1"],
    caCerts: [to.credentials.anchor.pem],
  });
}

/** V8's own collector, now: what it frees on the native side is freed. */
export const collectGarbage: () => void = (() => {
  v8.setFlagsFromString("--expose-gc");
  return vm.runInNewContext("gc");
})();
