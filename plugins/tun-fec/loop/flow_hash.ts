import type { IpPacket } from "../packet/ip_packet.ts";

/** A number below 2^32 that is the same for all packets of a flow in one direction. Fragments go with the flow of two addresses. */
export function flowHash(packet: IpPacket): number {
  let hash = packet.protocol;
  for (let i = 0; i < 4; i++) {
    hash = Math.imul(hash ^ packet.source[i]!, 0x9e37_79b1);
    hash = Math.imul(hash ^ packet.destination[i]! ^ hash >>> 15, 0x85eb_ca6b);
  }
  if (!packet.fragment) {
    hash = Math.imul(hash ^ (packet.sourcePort << 16 | packet.destinationPort), 0xc2b2_ae35);
  }
  return mix(hash);
}

/** The finaliser of MurmurHash3: every bit of the argument changes every bit of the result. */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ hash >>> 16, 0x85eb_ca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2_ae35);
  return (hash ^ hash >>> 16) >>> 0;
}

/**
 * Which of several ways a flow takes, in proportion to their weights: the highest `-weight / ln(u)`, where `u` in (0, 1) is drawn
 * from flow and way (weighted rendezvous hashing). When a way goes or comes only its own flows move.
 */
export function chooseWay(
  flow: number,
  ways: readonly { readonly salt: number; readonly weight: number }[],
): number {
  if (ways.length < 2) return ways.length - 1;
  let best = 0;
  let highest = -1;
  for (let i = 0; i < ways.length; i++) {
    const { salt, weight } = ways[i]!;
    const u = (mix(flow ^ salt) + 0.5) / 2 ** 32;
    const score = -weight / Math.log(u);
    if (score > highest) {
      highest = score;
      best = i;
    }
  }
  return best;
}
