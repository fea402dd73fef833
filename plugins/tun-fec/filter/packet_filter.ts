import { type IpPacket, ipProtocol, isEcho, isMapped } from "../packet/ip_packet.ts";
import { FlowTable } from "./flow_table.ts";
import { FragmentTable } from "./fragment_table.ts";
import {
  type FilterPeer,
  type FilterRules,
  type FilterVerdict,
  filterVerdict,
  type Prefix,
  protocolBit,
} from "./types.ts";

/** What this node is, to the filter. */
export interface FilterSelf {
  /** Its own mesh addresses. */
  readonly addresses: readonly Prefix[];
  /** What it forwards to as an exit. */
  readonly behind: readonly Prefix[];
}

/**
 * Decides for every packet between this node and a peer. A flow that one side may begin is answered freely; rules are asked once a
 * flow and again when they have changed. Time is in seconds.
 */
export class PacketFilter {
  readonly flows = new FlowTable();
  readonly #fragments = new FragmentTable();
  #self: FilterSelf = { addresses: [], behind: [] };
  #generation = 0;

  /** New addresses or rules: flows are asked for anew with their next packet. */
  replace(self: FilterSelf): void {
    this.#self = self;
    this.#generation++;
  }

  /** A packet that was sealed by the peer. */
  inbound(packet: IpPacket, peer: FilterPeer, now: number): FilterVerdict {
    if (!within(packet.source, peer.addresses) && !within(packet.source, peer.behind)) {
      return filterVerdict.source;
    }
    const { addresses, behind } = this.#self;
    const own = within(packet.destination, addresses);
    if (!own && !within(packet.destination, behind)) return filterVerdict.destination;
    return this.#decide(packet, peer, peer.inbound, !own, now);
  }

  /** A packet from the interface that is to go to the peer. */
  outbound(packet: IpPacket, peer: FilterPeer, now: number): FilterVerdict {
    const { addresses, behind } = this.#self;
    if (!within(packet.source, addresses) && !within(packet.source, behind)) {
      return filterVerdict.source;
    }
    const own = within(packet.destination, peer.addresses);
    if (!own && !within(packet.destination, peer.behind)) return filterVerdict.destination;
    return this.#decide(packet, peer, peer.outbound, !own, now);
  }

  #decide(
    packet: IpPacket,
    peer: FilterPeer,
    rules: FilterRules,
    leaves: boolean,
    now: number,
  ): FilterVerdict {
    const { index } = peer;
    if (packet.fragmentOffset > 0) {
      return this.#fragments.follows(packet, index, now)
        ? filterVerdict.pass
        : filterVerdict.fragment;
    }
    const open = rules.rules.length === 0 && rules.otherwise;
    if (!this.flows.touch(packet, index, this.#generation, now)) {
      if (!open) {
        // An ICMP error is about a flow that has its own verdict; it tells its ends what they must know (RFC 4890).
        const verdict = isIcmpError(packet) ? filterVerdict.pass : judge(packet, rules, leaves);
        if (verdict !== filterVerdict.pass) return verdict;
      }
      if (!isIcmpError(packet)) this.flows.allow(packet, index, this.#generation, now);
    }
    if (packet.fragment) this.#fragments.allow(packet, index, now);
    return filterVerdict.pass;
  }
}

function judge(
  packet: IpPacket,
  { rules, otherwise }: FilterRules,
  leaves: boolean,
): FilterVerdict {
  const bit = bitOf(packet.protocol);
  if (bit === 0) return filterVerdict.protocol;
  for (const rule of rules) {
    if ((rule.protocols & bit) === 0) continue;
    if (rule.behind === undefined ? false : !leaves || !matches(packet.destination, rule.behind)) {
      continue;
    }
    if (bit !== protocolBit.icmp && !portMatches(rule.ports, packet.destinationPort)) continue;
    // A rule that names ports is not about a protocol without them.
    if (bit === protocolBit.icmp && rule.ports.length > 0) continue;
    return rule.allow ? filterVerdict.pass : filterVerdict.policy;
  }
  return otherwise ? filterVerdict.pass : filterVerdict.policy;
}

function portMatches(ports: readonly number[], port: number): boolean {
  if (ports.length === 0) return true;
  for (let i = 0; i < ports.length; i += 2) {
    if (port >= ports[i]! && port <= ports[i + 1]!) return true;
  }
  return false;
}

function bitOf(protocol: number): number {
  if (protocol === ipProtocol.tcp) return protocolBit.tcp;
  if (protocol === ipProtocol.udp) return protocolBit.udp;
  if (protocol === ipProtocol.icmp || protocol === ipProtocol.icmp6) return protocolBit.icmp;
  return 0;
}

/** Unreachable, too big, time exceeded, parameter problem; of IPv6 the types below 128. */
function isIcmpError({ version, icmpType }: IpPacket): boolean {
  if (icmpType < 0 || isEcho(version, icmpType)) return false;
  return version === 6
    ? icmpType >= 1 && icmpType <= 4
    : icmpType === 3 || icmpType === 11 || icmpType === 12;
}

function within(address: Uint32Array, prefixes: readonly Prefix[]): boolean {
  for (let i = 0; i < prefixes.length; i++) if (matches(address, prefixes[i]!)) return true;
  return false;
}

function matches(address: Uint32Array, { network, mask }: Prefix): boolean {
  return ((address[0]! ^ network[0]) & mask[0]) === 0 &&
    ((address[1]! ^ network[1]) & mask[1]) === 0 &&
    ((address[2]! ^ network[2]) & mask[2]) === 0 &&
    ((address[3]! ^ network[3]) & mask[3]) === 0 &&
    // A prefix of IPv6 at large says nothing of IPv4.
    (mask[2] === 0xffff_ffff || !isMapped(address));
}
