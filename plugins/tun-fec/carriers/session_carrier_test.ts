import assert from "node:assert/strict";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { memoryStreamPair } from "../../../core/streams/memory_stream.ts";
import { DatagramStream } from "../../../core/streams/mod.ts";
import { eventually } from "../../../tests/lab/mod.ts";
import { testId } from "../mesh/testing.ts";
import { SessionCarrier, type SessionCarrierOptions } from "./session_carrier.ts";

const [b, c] = ["b", "c"].map(testId) as [string, string];
const segment = new Uint8Array([1, 2, 3]);

/** A carrier and the far ends of the streams it has opened; `b` is a neighbour. */
function makeCarrier(more: Partial<SessionCarrierOptions> = {}) {
  const core: DatagramStream[] = [];
  const peers: { readonly to: string; readonly stream: ByteStream }[] = [];
  const delivered: string[] = [];
  let now = 0;
  const carrier = new SessionCarrier({
    openDatagrams: () => {
      const [near, far] = memoryStreamPair();
      core.push(new DatagramStream(far));
      return Promise.resolve(near);
    },
    openSegments: (to) => {
      const [near, far] = memoryStreamPair();
      peers.push({ to, stream: far });
      return Promise.resolve(near);
    },
    linked: (id) => id === b,
    deliver: (from, bytes) => void delivered.push(`${from[0]} ${bytes.toHex()}`),
    now: () => now,
    log: () => {},
    ...more,
  });
  return { carrier, core, peers, delivered, pass: (ms: number) => void (now += ms) };
}

Deno.test("a neighbour's segments travel in datagrams of its session, with its id before them", async () => {
  const { carrier, core, delivered } = makeCarrier();
  using _ = carrier;
  await eventually(() => {
    const before = carrier.dropped;
    carrier.send(b, segment.slice());
    return carrier.dropped === before;
  }, { what: "a stream to core" });
  const sent = await core[0]!.receive();
  assert.deepEqual(sent?.toHex(), b + "010203");
  await core[0]!.send(Uint8Array.fromHex(c + "0405"), Uint8Array.fromHex(c));
  await eventually(() => delivered.length === 1, { what: "a segment" });
  assert.deepEqual(delivered, ["c 0405"]);
});

Deno.test("to everybody else they travel on a stream, which is opened when it is first needed", async () => {
  const { carrier, peers } = makeCarrier();
  using _ = carrier;
  carrier.send(c, segment.slice());
  assert.equal(carrier.dropped, 1);
  await eventually(() => peers.length === 1, { what: "a stream" });
  await Promise.resolve();
  carrier.send(c, segment.slice());
  const far = new DatagramStream(peers[0]!.stream);
  assert.deepEqual(await far.receive(), segment);
  carrier.keep((id) => id !== c);
  await assert.rejects(far.receive());
});

Deno.test("a peer's own stream is read until it ends", async () => {
  const { carrier, delivered } = makeCarrier();
  using _ = carrier;
  const [near, far] = memoryStreamPair();
  const serving = carrier.accept(far, c);
  const messages = new DatagramStream(near);
  await messages.send(segment, segment);
  await near.closeWrite();
  await serving;
  assert.deepEqual(delivered, ["c 010203", "c 010203"]);
});

Deno.test("a peer that cannot be reached is not tried again for a while, and its segments are dropped", async () => {
  let tries = 0;
  const { carrier, pass } = makeCarrier({
    openSegments: () => {
      tries++;
      return Promise.reject(new Error("out of reach"));
    },
  });
  using _ = carrier;
  for (let i = 0; i < 5; i++) {
    carrier.send(c, segment.slice());
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.deepEqual([tries, carrier.dropped], [1, 5]);
  pass(2_000);
  carrier.send(c, segment.slice());
  assert.equal(tries, 2);
});
