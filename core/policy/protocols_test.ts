import assert from "node:assert/strict";
import { PolicyError } from "./errors.ts";
import { formatProtocols, parseProtocols } from "./protocols.ts";

Deno.test("protocols are read in any case, once each, and a star or nothing means all", () => {
  assert.deepEqual(parseProtocols("tcp, UDP,tcp"), ["tcp", "udp"]);
  for (const all of ["", "*"]) assert.deepEqual(parseProtocols(all), []);
  for (const text of ["*", "icmp", "tcp,udp"]) {
    assert.equal(formatProtocols(parseProtocols(text)), text);
  }
});

Deno.test("the part that is no protocol is named", () => {
  for (const part of ["sctp", "", "6"]) {
    assert.throws(
      () => parseProtocols(`tcp,${part}`),
      (error) =>
        error instanceof PolicyError && error.code === "POLICY_PROTOCOLS" &&
        error.message.startsWith(`"${part}" `),
    );
  }
});
