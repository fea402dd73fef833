import assert from "node:assert/strict";
import { isControlProtocol } from "./control_protocols.ts";

Deno.test("what nodes say among themselves is told from users' traffic, and nothing else passes for it", () => {
  for (const protocol of ["ca.join", "ca.renew", "core.update", "scribe.call", "tun.keys"]) {
    assert.equal(isControlProtocol(protocol), true, protocol);
  }
  for (
    const protocol of [
      "tcp",
      "udp",
      "echo",
      "ca",
      "ca.join.x",
      "core",
      "core.",
      "scribes.x",
      "score.x",
      "tun.packets",
    ]
  ) {
    assert.equal(isControlProtocol(protocol), false, protocol);
  }
});
