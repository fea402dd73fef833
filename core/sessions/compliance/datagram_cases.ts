import assert from "node:assert/strict";
import type { Session } from "../types.ts";
import {
  type ComplianceCase,
  echo,
  openPair,
  pattern,
  roundTrips,
  within,
} from "./suite_support.ts";

/** Sends until one arrives: a datagram may be lost, a hundred in a row on loopback may not. */
async function deliver(from: Session, to: Session, make: () => Uint8Array): Promise<Uint8Array> {
  const arrived = to.receiveDatagram();
  const [ping, pingFar] = await openPair(from, to);
  const echoed = echo(pingFar);
  let done = false;
  const received = arrived.then((datagram) => {
    done = true;
    return datagram;
  });
  for (let i = 0; i < 100 && !done; i++) {
    const payload = make();
    from.sendDatagram(payload);
    payload.fill(0xee);
    await roundTrips(ping, 1);
  }
  await ping.closeWrite();
  await within(echoed, "echo end");
  const datagram = await within(received, "datagram");
  assert.ok(datagram !== null);
  return datagram;
}

/** Unreliable messages beside the streams. */
export const datagramCases: readonly ComplianceCase[] = [
  {
    name: "datagrams arrive whole, in both directions, and are copied before sendDatagram returns",
    run: async ({ dialler, acceptor }) => {
      const bytes = pattern(900, 61);
      assert.deepEqual(await deliver(dialler, acceptor, () => bytes.slice()), bytes);
    },
  },
  {
    name: "datagrams go from the acceptor to the dialler too, of a single byte as well",
    run: async ({ dialler, acceptor }) => {
      assert.deepEqual(
        await deliver(acceptor, dialler, () => Uint8Array.of(9)),
        Uint8Array.of(9),
      );
    },
  },
  {
    name: "a datagram of maxDatagramSize arrives, a larger one is refused and counted",
    run: async ({ dialler, acceptor }) => {
      assert.ok(dialler.maxDatagramSize >= 1_100, `maxDatagramSize ${dialler.maxDatagramSize}`);
      const dropped = dialler.stats.datagramsDropped;
      assert.equal(dialler.sendDatagram(new Uint8Array(dialler.maxDatagramSize + 1)), false);
      assert.equal(dialler.sendDatagram(new Uint8Array(70_000)), false);
      assert.equal(dialler.stats.datagramsDropped, dropped + 2);
      let length = 0;
      const got = await deliver(dialler, acceptor, () => {
        length = dialler.maxDatagramSize;
        return new Uint8Array(length).fill(3);
      });
      assert.ok(got.length > 0 && got.length <= length);
    },
  },
  {
    name: "at most 256 datagrams wait for a receiver, and the newest are kept",
    run: async ({ dialler, acceptor }) => {
      const [ping, pingFar] = await openPair(dialler, acceptor);
      const echoed = echo(pingFar);
      // 20 at a time: whatever the transport's own buffers are, these are not a flood for them.
      for (let batch = 0; batch < 40; batch++) {
        for (let i = 0; i < 20; i++) {
          const index = batch * 20 + i;
          dialler.sendDatagram(Uint8Array.of(index >> 8, index & 255));
        }
        await roundTrips(ping, 2);
      }
      const waiting: number[] = [];
      const collecting = (async () => {
        for (;;) {
          const datagram = await acceptor.receiveDatagram();
          if (datagram === null) return;
          waiting.push(((datagram[0] ?? 0) << 8) | (datagram[1] ?? 0));
        }
      })();
      await roundTrips(ping, 20);
      assert.ok(waiting.length <= 256, `${waiting.length} datagrams waited`);
      assert.ok(waiting.length >= 128, `only ${waiting.length} of 800 datagrams were kept`);
      assert.ok(Math.min(...waiting) >= 400, `the oldest kept is number ${Math.min(...waiting)}`);
      await ping.closeWrite();
      await within(echoed, "echo end");
      await dialler.close();
      await within(collecting, "end of datagrams");
    },
  },
];
