import assert from "node:assert/strict";
import { ConfigError } from "./errors.ts";
import { parseAdvertise, parseDialable, parseListen } from "./addresses.ts";

Deno.test("a listening address without a host is the wildcard its listener chose", () => {
  for (
    const [text, wildcard, expected] of [
      [":8443", "0.0.0.0", "0.0.0.0:8443"],
      [":1080", "127.0.0.1", "127.0.0.1:1080"],
      ["[::]:8443", "0.0.0.0", "[::]:8443"],
      ["10.0.0.1", "0.0.0.0", "10.0.0.1:8443"],
      ["localhost:0", "0.0.0.0", "127.0.0.1:0"],
      ["::1", "0.0.0.0", "[::1]:8443"],
    ] as const
  ) assert.equal(parseListen(text, wildcard), expected, text);
});

Deno.test("a listening address must be an address and says so", () => {
  for (const text of ["relay.example.com:443", "x y:1", ":99999", "1.2.3.4:", "http://x:1"]) {
    assert.throws(() => parseListen(text, "0.0.0.0"), ConfigError, text);
  }
});

Deno.test("an advertised address without a host is never passed on as it is", () => {
  assert.deepEqual(parseAdvertise(":9443"), { advertise: "auto", port: 9443, loopback: false });
  assert.deepEqual(parseAdvertise("relay.example.com:443, [2001:db8::1]:8443"), {
    advertise: ["relay.example.com:443", "[2001:db8::1]:8443"],
    port: 443,
    loopback: false,
  });
  assert.deepEqual(parseAdvertise("127.0.0.1:7001").loopback, true);
  assert.deepEqual(parseAdvertise("none"), { advertise: "none", port: null, loopback: false });
});

Deno.test("what nobody could dial is not advertised", () => {
  for (const text of ["0.0.0.0:8443", "[::]:8443", "relay:0", "a:1,".repeat(9) + "b:1"]) {
    assert.throws(() => parseAdvertise(text), ConfigError, text);
  }
});

Deno.test("a peer is host:port, or a host with the default port", () => {
  assert.equal(parseDialable("relay.example.com"), "relay.example.com:8443");
  assert.equal(parseDialable("relay:443"), "relay:443");
  assert.equal(parseDialable("[::1]:443"), "[::1]:443");
  assert.equal(parseDialable("2001:db8::1"), "[2001:db8::1]:8443");
  for (const text of [":8443", "0.0.0.0:1", "relay:0", "", "a b", "-x"]) {
    assert.throws(() => parseDialable(text), ConfigError, text);
  }
});
