import assert from "node:assert/strict";
import { channelPair } from "./channel_testing.ts";
import { exchangeWithin, relayJoin } from "./join_channel.ts";

Deno.test("a conversation that does not end in time is given up", async () => {
  const never = () => new Promise<never>(() => {});
  await assert.rejects(exchangeWithin(5, undefined, never), { code: "JOIN_TIMEOUT" });
  const stop = new AbortController();
  const given = exchangeWithin(60_000, stop.signal, never);
  stop.abort();
  await assert.rejects(given, { code: "JOIN_TIMEOUT" });
  await assert.rejects(exchangeWithin(60_000, AbortSignal.abort(), never), {
    code: "JOIN_TIMEOUT",
  });
});

Deno.test("a conversation that ends in time gives its result or its error", async () => {
  assert.equal(await exchangeWithin(60_000, undefined, () => Promise.resolve(7)), 7);
  const failing = () => Promise.reject(new Error("mine"));
  await assert.rejects(exchangeWithin(60_000, undefined, failing), { message: "mine" });
});

Deno.test("a relay carries question and answer in turn and is done with the CA's last word", async () => {
  const [stranger, strangerFar] = channelPair();
  const [caFar, ca] = channelPair();
  const carried = relayJoin(strangerFar, caFar);
  await stranger.send(Uint8Array.of(1));
  assert.deepEqual(await ca.receive(), Uint8Array.of(1));
  await ca.send(Uint8Array.of(2));
  assert.deepEqual(await stranger.receive(), Uint8Array.of(2));
  await stranger.send(Uint8Array.of(3));
  await ca.receive();
  await ca.send(Uint8Array.of(4));
  assert.deepEqual(await stranger.receive(), Uint8Array.of(4));
  await carried;
});

Deno.test("a relay is done when either side goes away", async () => {
  for (const leaver of ["stranger", "ca"]) {
    const [stranger, strangerFar] = channelPair();
    const [caFar, ca] = channelPair();
    const carried = relayJoin(strangerFar, caFar);
    await stranger.send(Uint8Array.of(1));
    await ca.receive();
    if (leaver === "ca") ca.close();
    else {
      await ca.send(Uint8Array.of(2));
      stranger.close();
    }
    await carried;
    stranger.close();
    ca.close();
  }
});

Deno.test("a relay carries no more messages than a join can have", async () => {
  const [stranger, strangerFar] = channelPair();
  const [caFar, ca] = channelPair();
  for (let i = 0; i < 20; i++) {
    await stranger.send(Uint8Array.of(1));
    await ca.send(Uint8Array.of(2));
  }
  await relayJoin(strangerFar, caFar);
  for (let i = 0; i < 8; i++) await stranger.receive();
  stranger.close();
  assert.equal(await stranger.receive(), null);
});
