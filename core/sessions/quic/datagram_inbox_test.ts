import assert from "node:assert/strict";
import { DatagramInbox } from "./datagram_inbox.ts";

/** A connection whose datagrams the test decides. */
function connection(): {
  readDatagram(): Promise<Uint8Array<ArrayBuffer>>;
  arrive(...datagrams: number[]): Promise<void>;
  end(): void;
} {
  let pending: PromiseWithResolvers<Uint8Array<ArrayBuffer>> = Promise.withResolvers();
  return {
    readDatagram: () => pending.promise,
    async arrive(...datagrams) {
      for (const byte of datagrams) {
        const { resolve } = pending;
        pending = Promise.withResolvers();
        resolve(Uint8Array.of(byte & 255, byte >> 8));
        await new Promise((done) => setImmediate(done));
      }
    },
    end: () => pending.reject(new Error("closed")),
  };
}

Deno.test("what comes before the peer is welcome is thrown away, also once it is", async () => {
  const quic = connection();
  const inbox = new DatagramInbox(quic);
  await quic.arrive(1, 2, 3);
  inbox.open();
  const first = inbox.receive();
  await quic.arrive(4);
  assert.deepEqual(await first, Uint8Array.of(4, 0));
  assert.equal(inbox.received, 1);
  quic.end();
  await inbox.done;
});

Deno.test("256 datagrams wait, then the oldest is dropped and counted", async () => {
  const quic = connection();
  const inbox = new DatagramInbox(quic);
  inbox.open();
  await quic.arrive(...Array(300).keys());
  assert.equal(inbox.dropped, 300 - 256);
  assert.deepEqual(await inbox.receive(), Uint8Array.of(44, 0));
  quic.end();
  await inbox.done;
});

Deno.test("the end of the connection is null for who waits and for who comes later", async () => {
  const quic = connection();
  const inbox = new DatagramInbox(quic);
  inbox.open();
  const waiting = inbox.receive();
  quic.end();
  assert.equal(await waiting, null);
  assert.equal(await inbox.receive(), null);
  await inbox.done;
});
