import assert from "node:assert/strict";
import { nodeSamples } from "./node_samples.ts";
import { sampleInput } from "./testing.ts";

const samples = nodeSamples(sampleInput(5));
const named = (name: string) => samples.filter((sample) => sample.name === name);

Deno.test("every name that dashboards of the field know is there, with its labels", () => {
  const names = [
    "pulse_peers_total",
    "pulse_peers_connected",
    "pulse_peer_latency_ms",
    "pulse_peer_loss_ratio",
    "pulse_peer_hop_count",
    "pulse_peer_link_type",
    "pulse_node_info",
    "pulse_cert_expiry_seconds",
    "pulse_ca_expiry_seconds",
    "pulse_revoked_nodes_total",
    "pulse_dns_zones_total",
    "pulse_acl_rules_total",
    "pulse_node_stats_bytes_in",
    "pulse_node_stats_bytes_out",
    "pulse_node_stats_active_conns",
  ];
  for (const name of names) assert.ok(named(name).length > 0, name);
  for (const name of ["latency_ms", "loss_ratio", "hop_count"]) {
    assert.deepEqual(Object.keys(named(`pulse_peer_${name}`)[0]!.labels!), ["node_id", "name"]);
  }
  assert.deepEqual(Object.keys(named("pulse_peer_link_type")[0]!.labels!), [
    "node_id",
    "name",
    "type",
  ]);
  const stats = ["bytes_in", "bytes_out", "active_conns"].map((name) =>
    named(`pulse_node_stats_${name}`)[0]!
  );
  assert.deepEqual(stats.map(({ value }) => value), [1_000, 2_000, 6]);
  assert.deepEqual(stats[0]!.labels, { node_id: "a".repeat(32) });
  assert.deepEqual(named("pulse_node_info")[0]!.labels, {
    node_id: "a".repeat(32),
    network_id: "home",
    version: "1.2.3",
  });
});

Deno.test("a node without a name is called by the first eight characters of its id", () => {
  const labels = named("pulse_peer_hop_count").map((sample) => sample.labels!.name);
  assert.deepEqual(labels, ["00000000", "node-1", "node-2", "00000000", "node-4"]);
});

Deno.test("an unmeasured peer has no latency, an unlinked one no transport and no bytes", () => {
  assert.equal(named("pulse_peer_latency_ms").length, 4);
  assert.equal(named("pulse_peer_link_type").length, 3);
  assert.equal(named("pulse_link_sent_bytes_total").length, 3);
  assert.equal(named("pulse_peers_connected")[0]!.value, 3);
});

Deno.test("latency is told in seconds too, and denials by rule", () => {
  const last = (name: string) => named(name).at(-1)!.value;
  assert.equal(last("pulse_peer_latency_seconds"), last("pulse_peer_latency_ms") / 1000);
  assert.deepEqual(
    named("pulse_denials_total").map(({ value, labels }) => [labels!.rule, value]),
    [["3", 8], ["unmatched", 1]],
  );
});

Deno.test("all samples of one name share their type and help", () => {
  const seen = new Map<string, string>();
  for (const { name, type, help } of samples) {
    assert.equal(seen.get(name) ?? type + help, type + help, name);
    seen.set(name, type + help);
  }
});
