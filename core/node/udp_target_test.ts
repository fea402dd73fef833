import assert from "node:assert/strict";
import { udpTarget } from "./udp_target.ts";

const open = { any: true, allowsLocalPort: () => true };

Deno.test("the target of datagrams is one address, written as the socket writes it", async () => {
  assert.deepEqual(await udpTarget("localhost:53", open), { hostname: "127.0.0.1", port: 53 });
  assert.deepEqual(await udpTarget("[0:0:0:0:0:0:0:1]:53", open), { hostname: "::1", port: 53 });
});

Deno.test("datagrams are refused wherever a connection would be", async () => {
  const closed = { any: true, allowsLocalPort: () => false };
  const relay = { any: false, allowsLocalPort: () => true };
  const cases = [
    ["127.0.0.1:53", closed, "STREAM_DENIED"],
    ["10.0.0.1:53", relay, "STREAM_DENIED"],
    ["169.254.169.254:53", open, "STREAM_DENIED"],
    ["224.0.0.251:5353", open, "STREAM_DENIED"],
    ["host:0", open, "STREAM_TARGET_INVALID"],
  ] as const;
  for (const [text, policy, status] of cases) {
    await assert.rejects(udpTarget(text, policy), { code: status });
  }
});
