/** Here and not beside the transport: memory is a process's, and unit tests share theirs with whatever runs beside them. */
import assert from "node:assert/strict";
import {
  collectGarbage,
  strangerConnection,
  testNode,
  until,
} from "../../core/sessions/quic/testing.ts";

Deno.test("two hundred failed attempts leave no memory behind", async () => {
  const node = await testNode({ limits: { maxUnauthenticated: 8, handshakeTimeoutMs: 2_000 } });
  const accepting = node.transport.accept();
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const attempt = async () => {
    const connection = await strangerConnection(node, endpoint);
    const stream = await connection.createBidirectionalStream();
    const writing = stream.writable.getWriter().write(new Uint8Array(100_000).fill(0x17));
    await connection.closed;
    await Promise.allSettled([writing]);
  };
  const resident = () => {
    collectGarbage();
    return Deno.memoryUsage().rss;
  };
  const grown: number[] = [];
  // An allocator settles within a few rounds; a leak shows in every one of them.
  do {
    for (let i = 0; i < 20; i++) await attempt();
    const before = resident();
    for (let i = 0; i < 200; i++) await attempt();
    grown.push((resident() - before) >> 20);
  } while (grown.length < 6 && (grown.at(-1) as number) > 10);
  assert.equal(node.transport.stats.refused, 220 * grown.length);
  await until("nobody left", () => node.transport.stats.unauthenticated === 0);
  // One connection left behind would be 200 x (100 kB of data + quinn's state) here.
  assert.ok((grown.at(-1) as number) <= 10, `grew by ${grown.join(", ")} MiB in rounds of 200`);
  endpoint.close();
  await node.transport.close();
  assert.equal(await accepting, null);
});
