import assert from "node:assert/strict";
import { type JoinConversation, maxJoinMessageBytes, maxJoinMessages } from "../../identity/mod.ts";
import { createTestCa } from "../../identity/testing.ts";
import { within } from "../compliance/suite_support.ts";
import { DialError, ProtocolError, SessionClosedError } from "../errors.ts";
import { openJoinConversation } from "./join_client.ts";
import { rawTls, readAll, upgradeRequest } from "./raw_client.ts";
import { member } from "./testing.ts";
import { listenWebSocket } from "./websocket_listener.ts";

async function lab(onJoin?: (conversation: JoinConversation) => Promise<void>) {
  const ca = await createTestCa();
  const policy = await member(ca);
  const listener = await listenWebSocket({
    host: "127.0.0.1",
    port: 0,
    policy,
    ...(onJoin === undefined ? {} : { onJoin }),
  });
  return {
    policy,
    address: listener.address,
    listener,
    join: () =>
      within(
        openJoinConversation({ ...listener.address, signal: new AbortController().signal }),
        "join",
      ),
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

async function echo(conversation: JoinConversation): Promise<void> {
  for (;;) {
    const message = await conversation.receive();
    if (message === null) return;
    await conversation.send(message);
  }
}

Deno.test("a stranger without a certificate talks to whoever takes joins, and nobody else", async () => {
  let remote = "";
  await using l = await lab((conversation) => {
    remote = conversation.remoteAddress;
    return echo(conversation);
  });
  await using conversation = await l.join();
  const large = new Uint8Array(maxJoinMessageBytes).fill(7);
  for (const message of [Uint8Array.of(1, 2, 3), large]) {
    await conversation.send(message);
    const answer = await within(conversation.receive(), "answer");
    assert.deepEqual(answer, message);
    assert.equal(answer?.constructor, Uint8Array);
  }
  assert.match(remote, /^127\.0\.0\.1:\d+$/);
  assert.match(conversation.remoteAddress, /^127\.0\.0\.1:\d+$/);
});

Deno.test("when the node has said what it had to say the conversation ends", async () => {
  await using l = await lab(async (conversation) => {
    await conversation.receive();
    await conversation.send(Uint8Array.of(42));
  });
  await using conversation = await l.join();
  await conversation.send(Uint8Array.of(1));
  assert.deepEqual(await within(conversation.receive(), "answer"), Uint8Array.of(42));
  assert.equal(await within(conversation.receive(), "end"), null);
  await assert.rejects(conversation.send(Uint8Array.of(2)), SessionClosedError);
});

Deno.test("when the node fails the stranger learns only that it is over", async () => {
  await using l = await lab(() => Promise.reject(new Error("secret details")));
  await using conversation = await l.join();
  assert.equal(await within(conversation.receive(), "end"), null);
});

Deno.test("a message beyond 16 KiB is not sent, and ends the conversation when it is sent anyway", async () => {
  const got: (number | undefined)[] = [];
  const served = Promise.withResolvers<void>();
  await using l = await lab(async (conversation) => {
    got.push((await conversation.receive())?.length);
    served.resolve();
  });
  await using conversation = await l.join();
  await assert.rejects(
    conversation.send(new Uint8Array(maxJoinMessageBytes + 1)),
    ProtocolError,
  );
  const socket = await rawTls(l.address);
  const answer = readAll(socket);
  socket.write(upgradeRequest("/join"));
  // A masked binary frame (mask of zeros) of 16385 bytes: RFC 6455, section 5.2.
  socket.write(
    Uint8Array.of(0x82, 0xfe, (maxJoinMessageBytes + 1) >> 8, 1, 0, 0, 0, 0),
  );
  socket.write(new Uint8Array(maxJoinMessageBytes + 1));
  assert.match(await answer, / 101 /);
  await within(served.promise, "the conversation was ended");
  assert.deepEqual(got, [undefined]);
});

Deno.test(`the ${maxJoinMessages + 1}th message ends the conversation, either way`, async () => {
  let received = 0;
  const served = Promise.withResolvers<void>();
  await using l = await lab(async (conversation) => {
    while (await conversation.receive() !== null) received++;
    served.resolve();
  });
  const conversation = await l.join();
  for (let i = 0; i < maxJoinMessages; i++) await conversation.send(Uint8Array.of(i));
  await assert.rejects(conversation.send(Uint8Array.of(9)), ProtocolError);
  await conversation[Symbol.asyncDispose]();
  await within(served.promise, "end of the first");
  assert.equal(received, maxJoinMessages);

  const socket = await rawTls(l.address);
  const answer = readAll(socket);
  socket.write(upgradeRequest("/join"));
  for (let i = 0; i < 20; i++) socket.write(Uint8Array.of(0x82, 0x81, 0, 0, 0, 0, i));
  await answer;
  assert.equal(received, 2 * maxJoinMessages);
});

Deno.test("32 strangers are served at once, the next is turned away until one has left", async () => {
  await using l = await lab(echo);
  const open = await Promise.all(Array.from({ length: 32 }, () => l.join()));
  for (const conversation of open) {
    await conversation.send(Uint8Array.of(1));
    await within(conversation.receive(), "answer");
  }
  await assert.rejects(
    l.join(),
    (error: unknown) => error instanceof DialError && /503/.test(error.message),
  );
  await open[0]?.[Symbol.asyncDispose]();
  for (;;) {
    try {
      await using late = await l.join();
      await late.send(Uint8Array.of(2));
      assert.deepEqual(await within(late.receive(), "answer"), Uint8Array.of(2));
      break;
    } catch (error) {
      // The server may hear of the end a moment after we do.
      assert.ok(error instanceof DialError && /503/.test(error.message));
    }
  }
  await Promise.all(open.map((conversation) => conversation[Symbol.asyncDispose]()));
});

Deno.test("a node that takes no joins has no /join", async () => {
  await using l = await lab();
  await assert.rejects(
    l.join(),
    (error: unknown) => error instanceof DialError && /404/.test(error.message),
  );
});

Deno.test("an aborted join throws the signal's reason", async () => {
  await using l = await lab(echo);
  const reason = new Error("no longer wanted");
  await assert.rejects(
    openJoinConversation({ ...l.address, signal: AbortSignal.abort(reason) }),
    (error: unknown) => error === reason,
  );
});

Deno.test("closing the listener ends conversations under way", async () => {
  const l = await lab(echo);
  await using conversation = await l.join();
  await conversation.send(Uint8Array.of(1));
  await within(conversation.receive(), "answer");
  await within(l.listener[Symbol.asyncDispose](), "listener closed");
  assert.equal(await within(conversation.receive(), "end"), null);
});
