import assert from "node:assert/strict";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { ControlChannel, controlKind } from "./control_channel.ts";
import { type ControlParty, ControlTraffic } from "./control_traffic.ts";
import type { Link } from "./link_manager.ts";
import { until } from "./testing.ts";

const peer = "2".repeat(32);

/** Traffic whose parties write down what they hear. */
function traffic(link: () => Link) {
  const heard: string[] = [];
  const party = (name: string): ControlParty => ({
    linkUp: () => heard.push(`${name} up`),
    linkDown: () => heard.push(`${name} down`),
    receive: (_peer, body) => heard.push(`${name} ${body.join()}`),
  });
  const made = new ControlTraffic({
    log: (_level, message) => heard.push(message),
    links: { primary: () => link() },
    observed: {
      tell: () => heard.push("told where it is seen"),
      told: (_peer, body) => heard.push(`seen at ${body.join()}`),
    },
    parties: () =>
      new Map([[controlKind.caRoll, party("roll")], [controlKind.gossip, party("gossip")]]),
  });
  return { heard, made };
}

Deno.test("each message goes to whom its kind is for, and all are told of the link in their order", async () => {
  const [near, far] = memoryStreamPair();
  const link = {
    peer,
    role: "dialler",
    openStream: () => Promise.resolve(near),
  } as unknown as Link;
  const { heard, made } = traffic(() => link);
  const open = made.open(link);
  // A link has one channel, however often it is asked for.
  await made.open(link);
  await far.read();
  const other = new ControlChannel(far);
  const running = other.run((kind, body) => heard.push(`other ${kind} ${body.join()}`), () => {});
  other.send(controlKind.gossip, Uint8Array.of(1));
  other.send(controlKind.observedAddress, Uint8Array.of(2));
  other.send(200, Uint8Array.of(3));
  other.send(controlKind.caRoll, Uint8Array.of(4));
  await until("the last message", () => heard.includes("roll 4"));
  made.send(peer, controlKind.gossip, Uint8Array.of(5));
  await until("the answer", () => heard.includes("other 1 5"));
  other.close();
  await Promise.all([open, running]);
  assert.deepEqual(heard.filter((what) => !what.startsWith("other")), [
    "told where it is seen",
    "roll up",
    "gossip up",
    "gossip 1",
    "seen at 2",
    "roll 4",
    "control channel ended",
    "roll down",
    "gossip down",
  ]);
  assert.deepEqual(heard.filter((what) => what.startsWith("other")), ["other 1 5"]);
});

Deno.test("who was dialled waits for the other's channel, and a stream that cannot be opened is no failure", async () => {
  const refusing = {
    peer,
    openStream: () => Promise.reject(new Error("the session is gone")),
  };
  const accepted = { ...refusing, role: "acceptor" } as unknown as Link;
  const { heard, made } = traffic(() => accepted);
  await made.open(accepted);
  assert.deepEqual(heard, []);
  await made.open({ ...refusing, role: "dialler" } as unknown as Link);
  assert.deepEqual(heard, ["no control channel"]);
});
