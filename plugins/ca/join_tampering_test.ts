import assert from "node:assert/strict";
import { channelPair } from "../../core/identity/channel_testing.ts";
import { encodeAnswer } from "../../core/identity/join_messages.ts";
import { generateNodeKey, type JoinChannel, JoinError } from "../../core/identity/mod.ts";
import { type Middle, openTestDesk } from "./testing.ts";

Deno.test("whoever changes any bit of any message in between wins nothing", async () => {
  await using ca = await openTestDesk();
  const token = ca.token({ maxUses: 0 });
  const key = generateNodeKey();
  const lengths: number[] = [];
  const measure: Middle = (node, far) =>
    tamper(node, far, (message) => {
      lengths.push(message.length);
      return message;
    });
  await ca.join(token, { key }, measure);
  assert.equal(lengths.length, 4);
  const before = ca.ledger.nodes.list(1000).length;
  for (const [turn, length] of lengths.entries()) {
    // Every byte of the short messages, every seventh of those with a certificate inside.
    for (let at = 0; at < length; at += length > 200 ? 7 : 1) {
      const middle: Middle = (node, far) => {
        let index = 0;
        return tamper(node, far, (message) => {
          if (index++ === turn) message[at]! ^= 1 << (at % 8);
          return message;
        });
      };
      await assert.rejects(
        ca.join(token, { key: generateNodeKey() }, middle),
        (error: Error) => error instanceof JoinError && !error.message.includes("busy"),
        `message ${turn}, byte ${at}`,
      );
    }
  }
  // Only changes to the CA's last message come after the CA has issued: those nodes can ask again.
  const issued = ca.ledger.nodes.list(1000).length - before;
  assert.ok(issued <= Math.ceil(lengths[3]! / 7), `${issued} issued`);
});

Deno.test("dropping, repeating and swapping messages wins nothing", async () => {
  await using ca = await openTestDesk();
  const token = ca.token({ maxUses: 0 });
  const tricks: Record<string, Middle> = {
    "the CA is never asked": async (node) => {
      await node.receive();
    },
    "the request is dropped": async (node, far) => {
      await far.send((await node.receive())!);
      await node.send((await far.receive())!);
      await node.receive();
    },
    "the hello is echoed": async (node) => {
      await node.send((await node.receive())!);
    },
    "the challenge is repeated instead of an answer": async (node, far) => {
      await far.send((await node.receive())!);
      const challenge = (await far.receive())!;
      await node.send(challenge);
      await node.receive();
      await node.send(challenge);
    },
    "an empty message": async (node) => {
      await node.receive();
      await node.send(new Uint8Array(0));
    },
    "an oversized message": async (node) => {
      await node.receive();
      await node.send(new Uint8Array(16 * 1024 + 1).fill(2));
    },
  };
  const issued = ca.ledger.nodes.list(10).length;
  for (const [name, middle] of Object.entries(tricks)) {
    await assert.rejects(ca.join(token, {}, middle), JoinError, name);
  }
  assert.equal(ca.ledger.nodes.list(10).length, issued);
});

Deno.test("a refusal by somebody who does not know the token is told apart from the CA's own", async () => {
  await using ca = await openTestDesk();
  const liar: Middle = async (node) => {
    await node.receive();
    await node.send(encodeAnswer({
      certificate: new Uint8Array(0),
      reason: "token already used",
      mac: new Uint8Array(32),
    }));
  };
  await assert.rejects(ca.join(ca.token(), {}, liar), { code: "JOIN_REFUSED_UNPROVEN" });
});

Deno.test("a recorded join played again gets nothing", async () => {
  await using ca = await openTestDesk();
  const recorded: Uint8Array[] = [];
  await ca.join(
    ca.token({ maxUses: 0 }),
    {},
    (node, far) =>
      tamper(node, far, (message, direction) => {
        if (direction === "to ca") recorded.push(message.slice());
        return message;
      }),
  );
  const [thief, far] = channelPair();
  const served = ca.desk.serve(far).finally(() => far.close());
  await thief.send(recorded[0]!);
  assert.equal((await thief.receive())?.[0], 2);
  await thief.send(recorded[1]!);
  const answer = (await thief.receive())!;
  assert.equal(answer[0], 4);
  assert.ok(new TextDecoder().decode(answer).includes("invalid join token"));
  await served;
  assert.equal(ca.ledger.audit.list(1)[0]?.fields["reason"], "invalid join token");
});

/** Alternating relay that lets `change` have each message. */
async function tamper(
  node: JoinChannel,
  far: JoinChannel,
  change: (message: Uint8Array, direction: "to ca" | "to node") => Uint8Array,
): Promise<void> {
  while (true) {
    const question = await node.receive();
    if (question === null) return;
    await far.send(change(question, "to ca"));
    const answer = await far.receive();
    if (answer === null) return;
    await node.send(change(answer, "to node"));
  }
}
