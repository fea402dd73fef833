import assert from "node:assert/strict";
import { channelPair } from "../identity/channel_testing.ts";
import { DialError, LinkRefusedError } from "../sessions/errors.ts";
import { SessionCloseCode } from "../sessions/types.ts";
import { verifyRoll } from "../trust/mod.ts";
import { newCa, testNetwork, writeRoll } from "../trust/testing.ts";
import { askAtDoor, DoorBell, serveRollDoor } from "./roll_door.ts";

const [old, next] = [await newCa(), await newCa()];
const word = writeRoll(old, next, 1);
const log = () => {};

/** Somebody who knows this, and writes down what it hears. */
function knowing(bytes: Uint8Array | undefined) {
  const heard: Uint8Array[] = [];
  const roll = bytes === undefined ? null : verifyRoll(bytes, testNetwork);
  return { heard, roll, adopt: (told: Uint8Array) => void heard.push(told.slice()) };
}

Deno.test("at the door each tells the other what it knows, and nothing is no news", async () => {
  for (const [asks, answers] of [[word, undefined], [undefined, word], [undefined, undefined]]) {
    const [near, far] = channelPair();
    const [here, there] = [knowing(asks), knowing(answers)];
    const served = serveRollDoor(far, there, { log, join: () => assert.fail("it is no join") });
    await askAtDoor(near, here, { where: "there", log });
    await served;
    assert.deepEqual(there.heard, asks === undefined ? [] : [asks]);
    assert.deepEqual(here.heard, answers === undefined ? [] : [answers]);
    near.close();
  }
});

Deno.test("a join goes on as it came, and silence opens nothing", async () => {
  const [near, far] = channelPair();
  await near.send(Uint8Array.of(1, 2));
  await near.send(Uint8Array.of(3));
  const seen: (number[] | null)[] = [];
  await serveRollDoor(far, knowing(word), {
    log,
    join: async (conversation) => {
      for (let i = 0; i < 2; i++) seen.push([...await conversation.receive() ?? []]);
      await conversation.send(Uint8Array.of(9));
    },
  });
  assert.deepEqual(seen, [[1, 2], [3]]);
  assert.deepEqual(await near.receive(), Uint8Array.of(9));
  near.close();
  const [silent, door] = channelPair();
  silent.close();
  await serveRollDoor(door, knowing(word), { log, join: () => assert.fail("nobody came") });
});

Deno.test("what is not taken at the door is logged and harms nobody", async () => {
  const [near, far] = channelPair();
  const lines: string[] = [];
  const stubborn = {
    roll: null,
    adopt: () => {
      throw new DialError("no");
    },
  };
  const served = serveRollDoor(far, stubborn, {
    log: (_level, message) => void lines.push(message),
    join: () => assert.fail("it is no join"),
  });
  await askAtDoor(near, knowing(word), { where: "there", log });
  await served;
  assert.deepEqual(lines, ["what was said of a CA roll is not taken"]);
  near.close();
});

Deno.test("only a certificate that was not believed is worth a question, and not twice in half a minute", () => {
  const bell = new DoorBell();
  const address = { host: "192.0.2.1", port: 1 };
  const foreign = new DialError("no", { foreign: true });
  assert.equal(bell.due(address, new DialError("refused"), 0), false);
  const both = new DialError("both", {}, new AggregateError([new Error("x"), foreign]));
  assert.equal(bell.due(address, both, 0), true);
  assert.equal(bell.due(address, foreign, 29_999), false);
  assert.equal(bell.due(address, foreign, 30_000), true);
  const refused = new LinkRefusedError("no", SessionCloseCode.unauthenticated);
  assert.equal(bell.due({ ...address, port: 2 }, refused, 30_000), true);
  const revoked = new LinkRefusedError("no", SessionCloseCode.revoked);
  assert.equal(bell.due({ ...address, port: 3 }, revoked, 30_000), false);
});
