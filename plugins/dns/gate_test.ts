import assert from "node:assert/strict";
import { ClientList } from "./client_list.ts";
import { Gate } from "./gate.ts";
import { RateLimit } from "./rate_limit.ts";

Deno.test("only the clients listed are served, whatever the spelling of their address", () => {
  const clients = new ClientList(["127.0.0.0/8", "[::1]", "192.168.4.0/22", "fd00:1::/32"]);
  const served = [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "192.168.7.255",
    "fd00:1::9",
  ];
  const not = ["192.168.8.0", "192.168.3.255", "10.0.0.1", "fd00:2::9", "::ffff:10.0.0.1", "", "x"];
  for (const address of served) assert.equal(clients.has(address), true, address);
  for (const address of not) assert.equal(clients.has(address), false, address);
});

Deno.test("a source that asks too fast waits, others do not, and the table has an end", () => {
  const rate = new RateLimit({ perSecond: 10, burst: 2, maxSources: 3 });
  assert.deepEqual([1, 2, 3].map(() => rate.allow("192.0.2.1", 0)), [true, true, false]);
  assert.equal(rate.allow("192.0.2.2", 0), true);
  assert.equal(rate.allow("192.0.2.1", 100), true);
  assert.equal(rate.allow("192.0.2.1", 100), false);
  // A host has its whole /64.
  for (let n = 0; n < 2; n++) assert.equal(rate.allow(`2001:db8::${n}`, 100), true);
  assert.equal(rate.allow("2001:db8:0:0:1::", 100), false);
  for (let n = 0; n < 100; n++) rate.allow(`198.51.100.${n}`, 200);
  assert.equal(rate.sources, 3);
});

Deno.test("strangers and the hasty are counted, programs here are never too fast", () => {
  const gate = new Gate({
    clients: new ClientList(["127.0.0.0/8", "192.0.2.0/24"]),
    rate: new RateLimit({ perSecond: 1, burst: 1, maxSources: 10 }),
    now: () => 0,
  });
  for (let n = 0; n < 100; n++) assert.equal(gate.admits("127.0.0.1"), true);
  assert.equal(gate.admits("192.0.2.1"), true);
  assert.equal(gate.admits("192.0.2.1"), false);
  assert.equal(gate.admits("203.0.113.1"), false);
  assert.deepEqual(gate.refused, { stranger: 1, rate: 1 });
});
