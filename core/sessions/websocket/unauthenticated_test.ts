import assert from "node:assert/strict";
import net from "node:net";
import { within } from "../compliance/suite_support.ts";
import { Unauthenticated } from "./unauthenticated.ts";

/** A server whose connections all enter `guests`, and clients of it. */
async function door(guests: Unauthenticated) {
  const entered: (() => void)[] = [];
  const server = net.createServer((socket) => {
    guests.enter(socket);
    entered.shift()?.();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const clients: net.Socket[] = [];
  return {
    async connect() {
      const { promise, resolve } = Promise.withResolvers<void>();
      entered.push(resolve);
      const client = net.connect(port, "127.0.0.1").resume();
      clients.push(client);
      await within(promise, "entry");
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      guests.clear();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const gone = (client: net.Socket) =>
  within(new Promise<void>((resolve) => client.once("close", () => resolve())), "end");

Deno.test("the oldest guest goes when one too many comes", async () => {
  const guests = new Unauthenticated(2, 60_000);
  await using d = await door(guests);
  const oldest = await d.connect();
  const end = gone(oldest);
  await d.connect();
  await d.connect();
  await end;
  assert.equal(guests.size, 2);
  assert.equal(guests.turnedAway, 1);
});

Deno.test("a guest goes when its time is up, one that leaves is forgotten, one that is known stays", async () => {
  const guests = new Unauthenticated(10, 1_000);
  await using d = await door(guests);
  const known = await d.connect();
  guests.settle({ remoteAddress: known.localAddress, remotePort: known.localPort });
  const leaver = await d.connect();
  leaver.destroy();
  await gone(await d.connect());
  assert.equal(guests.size, 0);
  assert.equal(guests.turnedAway, 1);
  assert.equal(known.destroyed, false);
});
