import assert from "node:assert/strict";
import { PeerAddresses } from "./peer_addresses.ts";

Deno.test("names are looked up beside the asking, again after a minute, and what was known outlives a failure", async () => {
  let now = 0;
  const answers: (() => Promise<readonly string[]>)[] = [
    () => Promise.resolve(["192.0.2.1"]),
    () => Promise.reject(new Error("no name server")),
    () => Promise.resolve(["192.0.2.2"]),
  ];
  const asked: string[] = [];
  const addresses = new PeerAddresses({
    peers: [{ host: "relay.example", port: 443 }, { host: "2001:db8::1", port: 8443 }],
    now: () => now,
    resolve: (name) => {
      asked.push(name);
      return answers.shift()!();
    },
  });
  const hosts = async () => {
    const found = addresses.list().map(({ host }) => host);
    // What is looked up is there in the next turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return found;
  };
  assert.deepEqual(await hosts(), ["2001:db8::1"]);
  assert.deepEqual(await hosts(), ["192.0.2.1", "2001:db8::1"]);
  now = 60_000;
  assert.deepEqual(await hosts(), ["192.0.2.1", "2001:db8::1"]);
  assert.deepEqual(await hosts(), ["192.0.2.1", "2001:db8::1"]);
  assert.equal(asked.length, 2);
  now = 65_000;
  await hosts();
  assert.deepEqual(await hosts(), ["192.0.2.2", "2001:db8::1"]);
  assert.deepEqual(asked, Array(3).fill("relay.example"));
});
