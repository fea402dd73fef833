import assert from "node:assert/strict";
import { advertisedAddresses, readObservedAddress } from "./advertise.ts";

const observed = new Map([["a", "198.51.100.7:4444"], ["b", "198.51.100.7:4444"], [
  "c",
  "203.0.113.1:9",
]]);
const base = { interfaces: ["127.0.0.1", "10.1.2.3", "fe80::1", "::1", "fd00::5"], observed };

Deno.test("an address without a host is never advertised", () => {
  const policy = [{ host: "", port: 8443 }, { host: "relay.example.com", port: 443 }];
  assert.deepEqual(
    advertisedAddresses({ ...base, policy, listen: { host: "", port: 8443 } }),
    ["relay.example.com:443"],
  );
});

Deno.test("a wildcard listener advertises its interfaces and what most peers see", () => {
  assert.deepEqual(
    advertisedAddresses({ ...base, policy: "auto", listen: { host: "0.0.0.0", port: 1 } }),
    [
      "10.1.2.3:1",
      "[fd00::5]:1",
      "198.51.100.7:4444",
      "203.0.113.1:9",
    ],
  );
});

Deno.test("a listener on one address advertises just that, and none means none", () => {
  const listen = { host: "127.0.0.1", port: 7 };
  assert.deepEqual(advertisedAddresses({ ...base, policy: "auto", listen }), ["127.0.0.1:7"]);
  assert.deepEqual(advertisedAddresses({ ...base, policy: "none", listen }), []);
});

Deno.test("never more than eight addresses", () => {
  const interfaces = Array.from({ length: 20 }, (_, n) => `10.0.0.${n + 1}`);
  const listen = { host: "::", port: 1 };
  const result = advertisedAddresses({ policy: "auto", listen, interfaces, observed });
  assert.equal(result.length, 8);
  assert.ok(result.includes("198.51.100.7:4444"));
});

Deno.test("only an IP address with a port is taken for what a peer sees", () => {
  const read = (text: string) => readObservedAddress(new TextEncoder().encode(text));
  assert.equal(read("198.51.100.7:4444"), "198.51.100.7:4444");
  assert.equal(read("[2001:DB8::7]:4444"), "[2001:db8::7]:4444");
  for (
    const text of [
      "",
      "nonsense",
      "example.com:1",
      "198.51.100.7:0",
      "198.51.100.7:99999",
      ":7",
      "0.0.0.0:7",
      "[::]:7",
      "[fe80::1%eth0]:7",
      "1.2.3.4:5\n",
      "\u0000:1",
    ]
  ) assert.equal(read(text), undefined, JSON.stringify(text));
});
