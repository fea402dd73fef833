import assert from "node:assert/strict";
import { tunMetrics } from "./metrics.ts";
import { testId } from "./mesh/testing.ts";

Deno.test("packets are counted by peer, drops by reason; a peer that is gone is left out", () => {
  const peer = {
    packetsIn: 1,
    packetsOut: 2,
    bytesIn: 3,
    bytesOut: 4,
    lost: 5,
    repaired: 6,
    epoch: 1,
    carrier: "fast" as const,
  };
  const samples = tunMetrics({
    stats: {
      peers: [{ ...peer, index: 1 }, { ...peer, index: 2 }],
      labels: [{ label: 9, segments: 10, bytes: 11 }, { label: 8, segments: 1, bytes: 2 }],
      drops: { policy: 7 },
    },
    peerOf: (index) => index === 1 ? testId("b") : undefined,
    sessionDrops: 3,
  });
  const values = samples.map(({ name, value, labels }) =>
    `${name.replace("pulse_tun_", "")} ${Object.values(labels ?? {}).join().slice(0, 8)} ${value}`
  );
  assert.deepEqual(values, [
    "received_packets_total bbbbbbbb 1",
    "sent_packets_total bbbbbbbb 2",
    "received_bytes_total bbbbbbbb 3",
    "sent_bytes_total bbbbbbbb 4",
    "lost_segments_total bbbbbbbb 5",
    "repaired_segments_total bbbbbbbb 6",
    "relayed_paths  2",
    "relayed_segments  11",
    "relayed_bytes  13",
    "dropped_total policy 7",
    "dropped_total session 3",
  ]);
  assert.deepEqual(tunMetrics({ stats: undefined, peerOf: () => undefined, sessionDrops: 0 }), []);
});
