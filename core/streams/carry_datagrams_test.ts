import assert from "node:assert/strict";
import { carryDatagrams } from "./carry_datagrams.ts";
import { DatagramStream } from "./datagram_stream.ts";
import { memoryStreamPair } from "./memory_stream.ts";
import { TestUdpSocket } from "./udp_testing.ts";

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`datagrams go to ${hostname} and its answers come back, large, empty and ours alone`, async () => {
    using service = new TestUdpSocket(hostname);
    using stranger = new TestUdpSocket(hostname);
    const [near, far] = memoryStreamPair();
    const carrying = carryDatagrams(far, { hostname, port: service.port });
    const flow = new DatagramStream(near);
    for (const size of [3, 0, 60_000]) {
      await flow.send(new Uint8Array(size).fill(7));
      const [asked, from] = await service.receive();
      assert.equal(asked.length, size);
      await stranger.send(Uint8Array.of(1, 1), from);
      await service.send(asked, from);
      assert.equal((await flow.receive())?.length, size);
    }
    near.reset();
    await carrying;
  });
}

Deno.test("a datagram that cannot be sent is lost, and the next one goes", async () => {
  using service = new TestUdpSocket();
  const [near, far] = memoryStreamPair();
  const carrying = carryDatagrams(far, { hostname: "127.0.0.1", port: service.port });
  await new DatagramStream(near).send(new Uint8Array(65_535), Uint8Array.of(1));
  assert.equal((await service.receive())[0].length, 1);
  await near.closeWrite();
  await carrying;
});

Deno.test("a flow in which nothing is said ends, and so does one whose stream breaks the rules", async () => {
  using service = new TestUdpSocket();
  const target = { hostname: "127.0.0.1", port: service.port };
  const [silent, far] = memoryStreamPair();
  await carryDatagrams(far, target, { idleMs: 20 });
  await assert.rejects(silent.read());
  const [near, cut] = memoryStreamPair();
  await near.write(Uint8Array.of(0, 9, 1));
  await near.closeWrite();
  await carryDatagrams(cut, target);
});
