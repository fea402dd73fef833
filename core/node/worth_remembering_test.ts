import assert from "node:assert/strict";
import type { GossipRecord } from "../gossip/types.ts";
import { worthRemembering } from "./worth_remembering.ts";

/** What gossip says of a node; all else of a record does not matter here. */
const record = (id: string, ...addresses: string[]) =>
  ({ id, report: { addresses } }) as unknown as GossipRecord;

const lastRun = [{ id: "old", addresses: ["192.0.2.9:8443"] }];

Deno.test("nodes that can be dialled are remembered, linked ones first, and this node never", () => {
  const records = [
    record("self", "192.0.2.1:8443"),
    record("far", "192.0.2.2:8443"),
    record("mute"),
    record("near", "192.0.2.3:8443", "[2001:db8::3]:8443"),
  ];
  const linked = (peer: string) => peer === "near" || peer === "mute";
  assert.deepEqual(worthRemembering({ self: "self", records, lastRun, linked }), [
    { id: "near", addresses: ["192.0.2.3:8443", "[2001:db8::3]:8443"] },
    { id: "far", addresses: ["192.0.2.2:8443"] },
  ]);
});

Deno.test("while nobody can be dialled, those of the last run are kept", () => {
  const records = [record("self", "192.0.2.1:8443"), record("mute")];
  const kept = worthRemembering({ self: "self", records, lastRun, linked: () => true });
  assert.deepEqual(kept, lastRun);
  assert.notEqual(kept, lastRun);
});
