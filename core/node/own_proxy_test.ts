import assert from "node:assert/strict";
import { isOwnProxy } from "./own_proxy.ts";

const proxy = { host: "127.0.0.1", port: 1080 };
const interfaces = () => ["127.0.0.1", "::1", "192.168.7.2", "fd00::7"];
const isOwn = (host: string, port = 1080) => isOwnProxy(proxy, { host, port }, interfaces);

Deno.test("the node's SOCKS is known by every address of the machine, however it is written", () => {
  const own = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "192.168.7.2"];
  for (const host of [...own, "::ffff:192.168.7.2", "fd00::7", "fd00:0:0:0:0:0:0:7"]) {
    assert.ok(isOwn(host), host);
  }
});

Deno.test("other ports and other machines are not the node's SOCKS", () => {
  assert.ok(!isOwn("127.0.0.1", 1081));
  assert.ok(!isOwn("192.168.7.3"));
  assert.ok(!isOwn("fd00::8"));
  assert.ok(!isOwnProxy(null, { host: "127.0.0.1", port: 1080 }, interfaces));
});
