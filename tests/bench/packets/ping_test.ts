import assert from "node:assert/strict";
import { parsePings } from "./ping.ts";

Deno.test("each answer to a ping has its time", () => {
  const output = `PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.
64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.062 ms
64 bytes from 10.0.0.1: icmp_seq=2 ttl=64 time=12 ms

--- 10.0.0.1 ping statistics ---
3 packets transmitted, 2 received, 33% packet loss, time 2040ms
rtt min/avg/max/mdev = 0.062/6.031/12.000/5.969 ms
`;
  assert.deepEqual(parsePings(output), [0.062, 12]);
});
