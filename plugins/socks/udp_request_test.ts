import assert from "node:assert/strict";
import fc from "fast-check";
import { parseUdpRequest } from "./udp_request.ts";

Deno.test("header and payload are told apart, for every kind of address", () => {
  const cases: [number[], string][] = [
    [[1, 10, 0, 0, 1], "10.0.0.1"],
    [[4, ...new Array<number>(15).fill(0), 1], "::1"],
    [[3, 1, 97], "a"],
  ];
  for (const [address, host] of cases) {
    const header = [0, 0, 0, ...address, 1, 2];
    const request = parseUdpRequest(Uint8Array.from([...header, 9, 9]));
    assert.equal(request?.host, host);
    assert.equal(request?.port, 258);
    assert.deepEqual([...request.header], header);
    assert.deepEqual([...request.payload], [9, 9]);
  }
});

Deno.test("random bytes are a request or nothing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
    const request = parseUdpRequest(input);
    if (request === undefined) return;
    assert.equal(request.header.length + request.payload.length, input.length);
    assert.ok(request.port > 0 && request.host.length > 0);
  }));
});
