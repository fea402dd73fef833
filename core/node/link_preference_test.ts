import assert from "node:assert/strict";
import { type LinkCandidate, preferLink } from "./link_preference.ts";

const low = "0".repeat(32);
const high = "f".repeat(32);

function seenBy(self: string, dialler: string, kind: LinkCandidate["kind"], order: number) {
  const peer = self === low ? high : low;
  return { kind, role: dialler === self ? "dialler" : "acceptor", peer, order } as const;
}

Deno.test("both ends of crossed dials keep the session that the lower id dialled", () => {
  for (const self of [low, high]) {
    const byLow = seenBy(self, low, "quic", 1);
    const byHigh = seenBy(self, high, "quic", 2);
    assert.equal(preferLink(self, byLow, byHigh), true);
    assert.equal(preferLink(self, byHigh, byLow), false);
  }
});

Deno.test("QUIC is preferred to WebSocket whoever dialled and whichever came first", () => {
  for (const self of [low, high]) {
    const quic = seenBy(self, high, "quic", 1);
    const websocket = seenBy(self, low, "websocket", 2);
    assert.equal(preferLink(self, quic, websocket), true);
    assert.equal(preferLink(self, websocket, quic), false);
  }
});

Deno.test("of two sessions dialled by the same end the newer is preferred", () => {
  for (const self of [low, high]) {
    const older = seenBy(self, high, "quic", 1);
    const newer = seenBy(self, high, "quic", 2);
    assert.equal(preferLink(self, newer, older), true);
    assert.equal(preferLink(self, older, newer), false);
  }
});
