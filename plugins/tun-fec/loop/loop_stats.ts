import type { Drops } from "./drops.ts";
import { Label } from "./label.ts";
import type { Peer } from "./peer.ts";
import type { LoopState } from "./state.ts";
import type { LoopStats } from "./types.ts";

/** What was counted so far. */
export function loopStats({ peers, receivers }: LoopState, drops: Drops): LoopStats {
  const labels = receivers.values().filter((one) => one instanceof Label);
  return {
    peers: peers.values().filter(({ known }) => known).map(ofPeer).toArray(),
    labels: labels.map(({ label, segments, bytes }) => ({ label, segments, bytes })).toArray(),
    drops: { ...drops.counts },
  };
}

function ofPeer(peer: Peer): LoopStats["peers"][number] {
  const { index, packetsIn, packetsOut, bytesIn, bytesOut, lost, repaired, sealing, ways } = peer;
  const carrier = ways.length === 0
    ? "none"
    : ways.some(({ address }) => address !== null)
    ? "fast"
    : "session";
  return {
    index,
    packetsIn,
    packetsOut,
    bytesIn,
    bytesOut,
    lost,
    repaired,
    epoch: sealing?.epoch ?? 0,
    carrier,
  };
}
