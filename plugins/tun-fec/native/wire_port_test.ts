import assert from "node:assert/strict";
import { Arena } from "../../../ffi/libc/arena.ts";
import { FfiError } from "../../../ffi/libc/errors.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { Poller, Ready } from "../../../ffi/libc/poller.ts";
import { UdpSocket } from "../../../ffi/udp/udp_socket.ts";
import { answer } from "../loop/ports.ts";
import { NativeWirePort } from "./wire_port.ts";

const [segment, segments] = [1200, 20];
const length = segments * segment - 77;
const AF41_ECT0 = 0x8a;

class End implements Disposable {
  readonly arena: Arena;
  readonly socket: UdpSocket;
  readonly wire: NativeWirePort;
  readonly at: number;
  readonly #poller: Poller;

  constructor(libc: Libc, address: string, segmentation = true) {
    this.arena = new Arena(libc, 2 << 20);
    this.socket = UdpSocket.bind(libc, { address, port: 0 });
    const { fd, family } = this.socket;
    this.wire = new NativeWirePort(libc, this.arena, { fd, family, segmentation });
    this.at = this.arena.allocate(1 << 16);
    this.#poller = new Poller(libc, this.arena, 1);
    this.#poller.set(0, fd, Ready.read);
  }

  /** The next message, once there is one. */
  async receive(): Promise<Uint8Array> {
    if (!this.wire.holds) {
      assert.equal(await this.#poller.waitAsync(10_000), 1, "nothing came");
      this.wire.mayReceive = true;
    }
    const received = this.wire.receive(this.at, 1 << 16);
    assert.ok(received > 0);
    return this.arena.bytes.slice(this.at, this.at + received);
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
    this.arena[Symbol.dispose]();
  }
}

for (
  const [name, bound, peer] of [
    ["IPv4", "127.0.0.1", "127.0.0.1"],
    ["IPv6", "::1", "[::1]"],
    ["IPv4 on a dual-stack socket", "::", "127.0.0.1"],
  ] as const
) {
  for (const segmentation of [true, false]) {
    const how = segmentation ? "in one piece" : "one by one where the kernel does not cut them";
    Deno.test(`${name}: datagrams of a train go ${how}`, async () => {
      using libc = Libc.open();
      using a = new End(libc, bound, segmentation);
      using b = new End(libc, bound);
      const payload = crypto.getRandomValues(new Uint8Array(length));
      a.arena.bytes.set(payload, a.at);
      const to = a.wire.address(`${peer}:${b.socket.address.port}`);
      assert.equal(a.wire.send(to, a.at, length, segment, AF41_ECT0), length);
      const got: Uint8Array[] = [];
      for (let total = 0; total < length;) {
        const message = await b.receive();
        assert.ok(b.wire.segment === segment || message.length === b.wire.segment);
        assert.equal(b.wire.tos, AF41_ECT0);
        total += message.length;
        got.push(message);
      }
      assert.ok(Buffer.concat(got).equals(payload));
      if (segmentation) assert.equal(got.length, 1);
      assert.equal(b.wire.from.isIpv4, !peer.startsWith("["));
      assert.equal(b.wire.from.text, `${peer}:${a.socket.address.port}`);
      // And back to where it came from, as a peer that has roamed.
      const back = b.wire.address(`${peer}:9`);
      assert.equal(back.equals(b.wire.from), false);
      back.copyFrom(b.wire.from);
      assert.ok(back.equals(b.wire.from));
      assert.equal(b.wire.send(back, b.at, 1, 1, 0), 1);
      assert.equal((await a.receive()).length, 1);
      assert.deepEqual([a.wire.segment, a.wire.tos], [1, 0]);
    });
  }
}

Deno.test("where nothing is merged many messages are taken at once, and each comes as it was sent", async () => {
  using libc = Libc.open();
  using a = new End(libc, "127.0.0.1");
  using other = new End(libc, "127.0.0.1");
  using b = new End(libc, "127.0.0.1");
  const to = `127.0.0.1:${b.socket.address.port}`;
  const ends = [a, other].map((end) => ({ end, to: end.wire.address(to) }));
  const sent: [number, string, number][] = [];
  const got: [number, string, number][] = [];
  for (let round = 0; round < 10; round++) {
    for (let n = 0; n < 20; n++) {
      const { end, to } = ends[n % 2]!;
      const bytes = 4 + n * 50;
      const number = round * 100 + n;
      end.arena.view.setUint32(end.at, number);
      assert.equal(end.wire.send(to, end.at, bytes, bytes, n), bytes);
      sent.push([number, `127.0.0.1:${end.socket.address.port}`, n]);
    }
    for (let n = 0; n < 20; n++) {
      const message = await b.receive();
      assert.equal(b.wire.segment, message.length);
      assert.equal(message.length, 4 + n * 50);
      got.push([new DataView(message.buffer).getUint32(0), b.wire.from.text, b.wire.tos]);
    }
    assert.equal(b.wire.holds, false);
  }
  assert.deepEqual(got, sent);
  // As soon as something is merged, trains come whole again.
  const [{ end: train, to: address }] = ends as [typeof ends[number]];
  for (let n = 0; n < 2; n++) {
    assert.equal(train.wire.send(address, train.at, 12_000, 1_200, 0), 12_000);
    assert.equal((await b.receive()).length, 12_000);
  }
});

Deno.test("nothing there, and a datagram that is too large, are numbers", () => {
  using libc = Libc.open();
  using a = new End(libc, "127.0.0.1");
  assert.equal(a.wire.receive(a.at, 1 << 16), answer.again);
  assert.equal(a.wire.mayReceive, false);
  assert.equal(a.wire.send(a.wire.address("127.0.0.1:9"), a.at, 65_535, 65_535, 0), -90);
});

Deno.test("an address given back is used again; one that is none is refused", () => {
  using libc = Libc.open();
  using a = new End(libc, "127.0.0.1");
  const { free } = a.arena;
  for (let n = 0; n < 100; n++) a.wire.release(a.wire.address(`127.0.0.1:${n + 1}`));
  assert.throws(() => a.wire.address("[::1]:9"), FfiError);
  assert.throws(() => a.wire.address("nowhere:9"), FfiError);
  assert.ok(free - a.arena.free <= 16, "one slot was enough");
});
