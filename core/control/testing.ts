import { ApiKeyStore } from "./api_key_store.ts";
import type { HistoryControl } from "../history/types.ts";
import type { NodeControl, StatusReport } from "./types.ts";

/** For tests: a status that fits the schema. */
export function sampleStatus(changes: Partial<StatusReport> = {}): StatusReport {
  return {
    self: {
      id: "4353db8f32bad58020c6d3c9238f80c2",
      name: "relay",
      tags: [],
      network: "corp",
      version: "0.1.0",
      joined: true,
      pid: 4711,
      uptimeSeconds: 3_725,
      meshAddresses: ["10.100.255.212", "fd12:3456:789a::1"],
      addresses: ["relay.example.com:443"],
      listen: { quic: "0.0.0.0:8443", websocket: "0.0.0.0:8443" },
      roles: ["ca"],
      capabilities: ["relay", "ca"],
      dataDir: "/home/u/.pulse",
    },
    certificate: {
      serial: "01ab",
      fingerprint: "ab".repeat(32),
      notBefore: "2026-01-01T00:00:00.000Z",
      notAfter: "2026-04-01T00:00:00.000Z",
      remainingSeconds: 7_776_000,
      status: "valid",
      caFingerprint: "cd".repeat(32),
      ca: {
        notBefore: "2026-01-01T00:00:00.000Z",
        notAfter: "2036-01-01T00:00:00.000Z",
        remainingSeconds: 300_000_000,
        status: "valid",
      },
    },
    peers: [],
    plugins: [{ name: "ca", state: "running", detail: "" }],
    config: {
      epoch: 1,
      version: 3,
      hash: "ef".repeat(32),
      note: "name relay",
      scribe: "4353db8f32bad58020c6d3c9238f80c2",
      grantEpoch: 1,
      problem: null,
    },
    warnings: [],
    ...changes,
  };
}

/** For tests: a node that answers what it is given. */
export function sampleControl(changes: Partial<NodeControl> = {}): NodeControl {
  return {
    status: () => sampleStatus(),
    health: () =>
      Promise.resolve({
        ok: true,
        status: "ok",
        reasons: [],
        checks: [{ name: "node", ok: true, detail: "joined" }],
      }),
    probePermissions: () => Promise.resolve([{ what: "ffi", allowed: false, detail: "denied" }]),
    exits: () => ({ routes: [], use: null, killswitch: false }),
    stop: () => {},
    pluginRoutes: () => [],
    metrics: () => Promise.resolve("pulse_peers_total 3\n"),
    history: sampleHistory(),
    ...changes,
  };
}

/** For tests: a store without keys, whose file cannot be written. */
export function noApiKeys(): ApiKeyStore {
  return new ApiKeyStore("/nonexistent/api-keys.json", () => 0);
}

/** For tests: a history in which nothing happened. */
export function sampleHistory(changes: Partial<HistoryControl> = {}): HistoryControl {
  return {
    events: () => ({ events: [], next: null }),
    follow: async function* () {},
    stats: ({ resolution = "10s" }) =>
      Promise.resolve({
        node: "4353db8f32bad58020c6d3c9238f80c2",
        resolution,
        series: [],
        truncated: false,
      }),
    audit: () => ({ entries: [], next: null }),
    verifyAudit: () =>
      Promise.resolve({
        entries: 0,
        first: 1,
        brokenAt: null,
        reason: null,
        head: "0".repeat(64),
      }),
    recordAudit: () => Promise.resolve(),
    ...changes,
  };
}
