import assert from "node:assert/strict";
import { type Daemon, labTest, run } from "../lab/mod.ts";
import { withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0"];
const doors = ["--dns-listen", "127.0.0.1:0", "--socks-listen", "127.0.0.1:0"];

/** What dashboards of the field ask for. */
const names = [
  ...["pulse_peers_total", "pulse_peers_connected", "pulse_node_info"],
  ...["pulse_peer_latency_ms", "pulse_peer_loss_ratio", "pulse_peer_hop_count"],
  ...["pulse_peer_link_type", "pulse_cert_expiry_seconds", "pulse_revoked_nodes_total"],
  ...["pulse_dns_zones_total", "pulse_acl_rules_total"],
  ...["pulse_tokens_total", "pulse_tokens_valid"],
  ...["pulse_node_stats_bytes_in", "pulse_node_stats_bytes_out", "pulse_node_stats_active_conns"],
];

async function metricsOf(daemon: Daemon, query = ""): Promise<string> {
  const { status, body } = await daemon.api("GET", `/metrics${query}`);
  assert.equal(status, 200);
  return String(body);
}

/** What the linter says; nothing when all is well. */
async function linted(text: string): Promise<string> {
  const { stdout, stderr } = await run(["promtool", "check", "metrics"], { stdin: text });
  return (stdout + stderr).trim();
}

labTest(
  "a node with every plugin has all names, no series twice, and the linter objects to one name alone, which clean leaves out",
  { commands: ["promtool"] },
  () =>
    withMesh(async (mesh) => {
      const hub = await mesh.start(
        "hub",
        ...loopback,
        ...doors,
        "--ca",
        "--dns",
        "--socks",
        "--scribe",
      );
      const code = await mesh.invite("hub");
      await mesh.start("member", ...loopback, "--join", code);
      const text = await hub.eventually("the member's latency is measured", async () => {
        const said = await metricsOf(hub);
        return /^pulse_peer_latency_ms\{/m.test(said) && said;
      });
      for (const name of names) assert.match(text, new RegExp(`^${name}[ {]`, "m"));
      const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.slice(0, line.lastIndexOf(" ")));
      assert.deepEqual(series.filter((one, at) => series.indexOf(one) !== at), []);
      assert.equal(
        await linted(text),
        "pulse_peer_latency_ms metric names should not contain abbreviated units",
      );
      assert.equal(await linted(await metricsOf(hub, "?names=clean")), "");
    }),
);
