import assert from "node:assert/strict";
import { DatagramStream } from "../../core/streams/datagram_stream.ts";
import { TestUdpSocket } from "../../core/streams/udp_testing.ts";
import { directDatagrams } from "./direct_datagrams.ts";

const { signal } = new AbortController();

Deno.test("datagrams reach a host outside the mesh from here, and come back", async () => {
  using service = new TestUdpSocket();
  void service.echo();
  const rules = { resolve: () => Promise.resolve(["127.0.0.1"]), forbids: () => false };
  const stream = await directDatagrams("example.com", service.port, signal, rules);
  const flow = new DatagramStream(stream);
  await flow.send(Uint8Array.of(1, 2));
  assert.deepEqual([...await flow.receive() ?? []], [1, 2]);
  stream.reset();
});

Deno.test("what may not be dialled may not be sent to", async () => {
  for (const host of ["127.0.0.1", "169.254.169.254", "ff02::1", "255.255.255.255"]) {
    await assert.rejects(directDatagrams(host, 53, signal), { code: "STREAM_DENIED" }, host);
  }
});
