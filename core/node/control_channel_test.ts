import assert from "node:assert/strict";
import { streamKind } from "../streams/mod.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import {
  ControlChannel,
  controlKind,
  maxControlMessage,
  maxControlQueue,
} from "./control_channel.ts";

const log = () => {};

async function pair() {
  const [near, far] = memoryStreamPair();
  const dialler = await ControlChannel.open(near);
  assert.deepEqual([...(await far.read())!], [streamKind.control]);
  return { dialler, acceptor: new ControlChannel(far), far };
}

Deno.test("messages arrive in order with their kind, both ways, until one end closes", async () => {
  const { dialler, acceptor } = await pair();
  const got: [number, number[]][] = [];
  const three = Promise.withResolvers<void>();
  const running = [
    dialler.run((kind, body) => got.push([kind, [...body]]), log),
    acceptor.run((kind, body) => {
      got.push([kind, [...body]]);
      if (body[0] === 3) three.resolve();
    }, log),
  ];
  for (const n of [1, 2, 3]) assert.equal(dialler.send(controlKind.gossip, Uint8Array.of(n)), true);
  await three.promise;
  assert.deepEqual(got, [[1, [1]], [1, [2]], [1, [3]]]);
  acceptor.close();
  await Promise.all(running);
  assert.equal(dialler.send(controlKind.gossip, new Uint8Array(1)), false);
});

Deno.test("what does not fit into the queue is dropped and counted", async () => {
  const { dialler } = await pair();
  const message = new Uint8Array(maxControlMessage - 1);
  let taken = 0;
  while (dialler.send(controlKind.gossip, message)) taken++;
  assert.equal(taken, Math.floor(maxControlQueue / (message.length + 5)));
  assert.equal(dialler.dropped, 1);
  dialler.close();
});

Deno.test("a message over the limit ends the channel before any of it is stored", async () => {
  const { acceptor, dialler, far } = await pair();
  void far;
  const running = acceptor.run(() => assert.fail("nothing may be delivered"), log);
  const idle = dialler.run(() => {}, log);
  dialler.send(controlKind.gossip, new Uint8Array(maxControlMessage));
  await running;
  await idle;
});
