import assert from "node:assert/strict";
import { TunnelPorts } from "./tunnel_ports.ts";

Deno.test("a port is known while its connection is open and some time after, and free again then", () => {
  let now = 0;
  const ports = new TunnelPorts(() => now);
  const a = ports.open(40_000, "a");
  now = 10 ** 9;
  assert.equal(ports.originOf(40_000), "a");
  assert.equal(ports.originOf(40_001), undefined);
  a[Symbol.dispose]();
  assert.equal(ports.originOf(40_000), "a");
  now += 30_000;
  assert.equal(ports.originOf(40_000), undefined);
});

Deno.test("a port that is used again belongs to the newer connection, whenever the older one says that it has ended", () => {
  let now = 0;
  const ports = new TunnelPorts(() => now);
  const a = ports.open(40_000, "a");
  const b = ports.open(40_000, "b");
  a[Symbol.dispose]();
  now = 10 ** 9;
  assert.equal(ports.originOf(40_000), "b");
  b[Symbol.dispose]();
  now += 30_000;
  assert.equal(ports.originOf(40_000), undefined);
});
