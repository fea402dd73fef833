import assert from "node:assert/strict";
import type { Link } from "./link_manager.ts";
import { ownReport } from "./own_report.ts";

Deno.test("a node reports its measured links and what it offers", () => {
  const measures = new Map([["a", { latencyMs: 3, loss: 0.1 }]]);
  const report = ownReport(
    {
      capabilities: ["exit"],
      exit: { cidrs: ["192.168.7.0/24"], use: null, killswitch: false },
    },
    ["192.0.2.1:8443"],
    {
      peers: () => ["a", "unmeasured", "gone"],
      primary: (peer) => peer === "gone" ? undefined : { peer } as Link,
    },
    { measure: ({ peer }) => measures.get(peer) },
  );
  const { version: _, ...rest } = report;
  assert.deepEqual(rest, {
    addresses: ["192.0.2.1:8443"],
    capabilities: ["exit"],
    services: [],
    exitCidrs: ["192.168.7.0/24"],
    links: [{ peer: "a", latencyMs: 3, loss: 0.1 }],
  });
});
