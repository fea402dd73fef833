import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import type { GossipRecord } from "../gossip/types.ts";
import { emptyBody } from "../netconfig/mod.ts";
import { testAuthority } from "../netconfig/testing.ts";
import { rule } from "../policy/testing.ts";
import { PolicyNodes } from "./policy_nodes.ts";
import { startTestNode, until } from "./testing.ts";

const ca = await createTestCa();

/** What gossip says of a node; all else of a record does not matter here. */
async function recordOf(meshAddresses?: readonly string[]): Promise<GossipRecord> {
  const { certificate } = await ca.issue(meshAddresses === undefined ? {} : { meshAddresses });
  return { id: certificate.id, certificate } as GossipRecord;
}

const entry = { name: null, tags: [], meshIp: null, pinnedVia: null };

Deno.test("the policy is about everybody whom the config names or gossip knows, with the addresses that count", async () => {
  using nodes = new PolicyNodes(() => {});
  const [known, moved] = [await recordOf(), await recordOf()];
  const absent = "a".repeat(32);
  const body = {
    ...emptyBody,
    nodes: {
      [moved.id]: { ...entry, name: "db", tags: ["prod"], meshIp: "10.100.9.9" },
      [absent]: { ...entry, tags: ["dev"] },
    },
  };
  const [, ipv6] = moved.certificate.meshAddresses;
  assert.deepEqual(
    nodes.list(body, [known, moved]).sort((a, b) => a.id < b.id ? -1 : 1),
    [
      { id: known.id, name: null, tags: [], addresses: known.certificate.meshAddresses },
      { id: moved.id, name: "db", tags: ["prod"], addresses: ["10.100.9.9", ipv6] },
      { id: absent, name: null, tags: ["dev"], addresses: [] },
    ].sort((a, b) => a.id < b.id ? -1 : 1),
  );
});

Deno.test("somebody new, or with other addresses, is told once for many, and only while there are rules", async () => {
  let told = 0;
  using nodes = new PolicyNodes(() => told++);
  const known = await recordOf();
  nodes.list(emptyBody, [known]);
  const other = await recordOf();
  nodes.learned(other, 0);
  nodes.learned(known, 1);
  for (const record of [other, await recordOf()]) nodes.learned(record, 1);
  await until("word of both", () => told > 0);
  assert.equal(told, 1);
  nodes.list(emptyBody, [known, other]);
  const renewed = { ...known.certificate, meshAddresses: ["10.100.1.2"] };
  nodes.learned({ ...known, certificate: renewed }, 1);
  await until("word of the new address", () => told === 2);
});

Deno.test("nothing is told after the end", async () => {
  const nodes = new PolicyNodes(() => assert.fail("told"));
  nodes.learned(await recordOf(), 1);
  // The sanitizer of timers finds one that is left.
  nodes[Symbol.dispose]();
});

Deno.test("a node that comes after the rules is under them as soon as gossip knows it", async () => {
  const authority = await testAuthority();
  await using scribe = await startTestNode(await authority.issue());
  const { networkConfig, listeners } = scribe.node;
  networkConfig.adoptGrant(authority.grant(1, scribe.node.id).bytes);
  const late = await authority.issue();
  const [address = ""] = late.certificate.meshAddresses;
  const acls = [rule("deny", "*", late.key.id), rule("allow", "*", "*")];
  await networkConfig.publish({
    body: { ...emptyBody, acls },
    note: "",
    expect: { epoch: 0, version: 0 },
  });
  const opens = async () => {
    const request = {
      destination: scribe.node.id,
      protocol: "tcp",
      port: 9,
      target: `${address}:9`,
    };
    const [outcome] = await Promise.allSettled([scribe.node.openStream(request)]);
    return outcome.status === "rejected" ? String(outcome.reason) : "open";
  };
  // Its address means it from now on, also as a target behind another node.
  await using _ = await startTestNode(late, { peers: [listeners.address] });
  const before = scribe.node.policy;
  await until("the rules with the newcomer", () => scribe.node.policy !== before);
  assert.match(await opens(), /rule 0: deny/);
});
