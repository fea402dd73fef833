import assert from "node:assert/strict";
import { eventFor } from "./event_for.ts";

Deno.test("what the CA wrote down becomes events of the node, with reasons as errors and ids of tokens as such", () => {
  assert.deepEqual(eventFor("join_refused", { reason: "token expired", token: "ab", via: "x" }), {
    type: "join_failed",
    fields: { error: "token expired", tokenId: "ab", via: "x" },
  });
  assert.deepEqual(eventFor("certificate_renewed", { node: "a", serial: "1" }), {
    type: "cert_issued",
    fields: { node: "a", serial: "1", kind: "renewal" },
  });
  assert.equal(eventFor("node_revoked", { node: "a" }), undefined);
});
