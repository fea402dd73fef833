import assert from "node:assert/strict";
import { PulseError } from "../../core/errors/mod.ts";
import type { PeerInfo } from "../../core/plugin/types.ts";
import { MeshAddressBook } from "./mesh_address_book.ts";

const peer: PeerInfo = {
  id: "a".repeat(32),
  meshAddresses: ["10.100.1.2", "fd41:b589::1"],
  roles: [],
  capabilities: [],
  linked: true,
};

Deno.test("addresses lead to nodes, however they are written", async () => {
  const book = new MeshAddressBook(() => Promise.resolve([peer]), () => 0);
  assert.equal(await book.find("10.100.1.2"), peer.id);
  assert.equal(await book.find("fd41:b589:0:0:0:0:0:1"), peer.id);
  assert.equal(await book.find("10.100.1.3"), undefined);
});

Deno.test("the peers are asked for again only when the answer is old", async () => {
  let now = 0;
  let asked = 0;
  const book = new MeshAddressBook(() => {
    asked++;
    return Promise.resolve([peer]);
  }, () => now);
  await Promise.all([book.find("10.100.1.2"), book.find("10.100.1.3")]);
  now = 1_999;
  await book.find("10.100.1.2");
  assert.equal(asked, 1);
  now = 2_000;
  await book.find("10.100.1.2");
  assert.equal(asked, 2);
});

Deno.test("before the network is joined nobody has an address; other failures are told and not kept", async () => {
  const errors = [new PulseError("PLUGIN_DOWN", "down")];
  const book = new MeshAddressBook(() => {
    const error = errors.shift() ?? new PulseError("NODE_NOT_JOINED", "not yet");
    return Promise.reject(error);
  }, () => 0);
  await assert.rejects(book.find("10.100.1.2"), { code: "PLUGIN_DOWN" });
  assert.equal(await book.find("10.100.1.2"), undefined);
});
