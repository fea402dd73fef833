import assert from "node:assert/strict";
import { PulseError } from "../errors/mod.ts";
import { formatHostPort, isWildcard, parseHostPort } from "./host_port.ts";

Deno.test("names, IPv4, bracketed IPv6 and a bare port are addresses and print back the same", () => {
  for (const text of ["relay.example.com:443", "10.0.0.1:8443", "[fd00::1]:1", ":8443"]) {
    assert.equal(formatHostPort(parseHostPort(text)), text);
  }
});

Deno.test("text that is not an address is refused with what was read", () => {
  for (
    const text of ["", "host", "host:", "host:70000", "fd00::1:80", "a b:1", "http://x:1", "[::1]"]
  ) {
    assert.throws(
      () => parseHostPort(text),
      (error) => error instanceof PulseError && error.code === "ADDRESS_INVALID",
    );
  }
});

Deno.test("wildcards can be bound but not dialled", () => {
  assert.deepEqual(["", "::", "0.0.0.0", "::1", "127.0.0.1"].map(isWildcard), [
    true,
    true,
    true,
    false,
    false,
  ]);
});
