import assert from "node:assert/strict";
import type { GossipRecord } from "../gossip/types.ts";
import { type ConfigBody, emptyBody } from "../netconfig/mod.ts";
import type { PolicyNode } from "../policy/mod.ts";
import { rule } from "../policy/testing.ts";
import { TaskSet } from "../tasks/mod.ts";
import { AppliedConfig } from "./applied_config.ts";
import { until } from "./testing.ts";

const [box, relay] = ["1".repeat(32), "2".repeat(32)];
const entry = { name: null, tags: [], meshIp: null, pinnedVia: null };

/** What gossip says of a node; all else of a record does not matter here. */
const record = (id: string, address: string) =>
  ({ id, certificate: { meshAddresses: [address] } }) as unknown as GossipRecord;

function applied(body: ConfigBody, records: GossipRecord[] = []) {
  const seen = { pins: new Map<string, string>(), refusals: 0, nodes: [] as PolicyNode[][] };
  const config = new AppliedConfig({
    body: () => body,
    records: () => records,
    routes: { setPins: (pins) => void (seen.pins = new Map(pins)) },
    refusals: { apply: () => Promise.resolve(void seen.refusals++) },
    gate: { replace: (_rules, nodes) => Promise.resolve(void seen.nodes.push([...nodes])) },
    tasks: new TaskSet((error) => assert.fail(`${error}`)),
  });
  return { config, seen };
}

Deno.test("all of a config is acted on at once: names, pins, refusals and rules", () => {
  const nodes = { [box]: { ...entry, name: "box", pinnedVia: relay } };
  const { config, seen } = applied({ ...emptyBody, nodes }, [record(relay, "10.100.0.2")]);
  using _ = config;
  assert.equal(config.names.size, 0);
  config.apply();
  assert.equal(config.names.get("box"), box);
  assert.deepEqual([[...seen.pins], seen.refusals], [[[box, relay]], 1]);
  assert.deepEqual(seen.nodes[0]?.map(({ id }) => id).sort(), [box, relay]);
});

Deno.test("a node with another address has the rules compiled again, one that is as before does not", async () => {
  const records = [record(box, "10.100.0.1")];
  const { config, seen } = applied({ ...emptyBody, acls: [rule("allow", "*", "*")] }, records);
  using _ = config;
  config.apply();
  config.learned(records[0]!);
  records[0] = record(box, "10.9.0.1");
  config.learned(records[0]);
  await until("other rules", () => seen.nodes.length > 1);
  assert.deepEqual(seen.nodes.map(([node]) => node?.addresses), [["10.100.0.1"], ["10.9.0.1"]]);
});
