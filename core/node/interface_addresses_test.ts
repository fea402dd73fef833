import assert from "node:assert/strict";
import { interfaceAddresses } from "./interface_addresses.ts";

Deno.test("addresses are those of the machine now, but it is not asked more than once a second", () => {
  let [now, looks, address] = [0, 0, "192.0.2.1"];
  const addresses = interfaceAddresses(() => now, () => {
    looks++;
    return [{ address }];
  });
  assert.deepEqual(addresses(), ["192.0.2.1"]);
  address = "192.0.2.2";
  now = 999;
  assert.deepEqual(addresses(), ["192.0.2.1"]);
  now = 1_000;
  assert.deepEqual(addresses(), ["192.0.2.2"]);
  assert.equal(looks, 2);
});

Deno.test("a process that may not look has no addresses to tell", () => {
  const addresses = interfaceAddresses(() => 0, () => {
    throw new Deno.errors.NotCapable("sys");
  });
  assert.deepEqual(addresses(), []);
});
