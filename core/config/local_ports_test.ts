import assert from "node:assert/strict";
import { ConfigError } from "./errors.ts";
import { allowsLocalPort, defaultLocalPorts, parseLocalPorts } from "./local_ports.ts";

Deno.test("the default opens ssh, http and https of the loopback and nothing else", () => {
  const ports = parseLocalPorts(defaultLocalPorts);
  assert.deepEqual([22, 80, 443, 21, 8080, 6379].map((port) => allowsLocalPort(ports, port)), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

Deno.test("ranges include both ends, all is all and none is none", () => {
  const ports = parseLocalPorts(" 22, 8000-8002 ");
  assert.deepEqual([7999, 8000, 8002, 8003].map((port) => allowsLocalPort(ports, port)), [
    false,
    true,
    true,
    false,
  ]);
  assert.equal(allowsLocalPort(parseLocalPorts("all"), 1), true);
  assert.equal(allowsLocalPort(parseLocalPorts("None"), 22), false);
});

Deno.test("what is no list of ports is refused", () => {
  for (const text of ["", "0", "65536", "9-8", "ssh", "1,,2", "1-2-3", "1,".repeat(65) + "1"]) {
    assert.throws(() => parseLocalPorts(text), ConfigError, text);
  }
});
