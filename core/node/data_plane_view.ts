import type { NodeId } from "../identity/types.ts";
import { admitsSomeFlow, type CompiledPolicy, type FlowRules, flowRules } from "../policy/mod.ts";
import type { SessionKind } from "../sessions/types.ts";
import { meshAddressesOf } from "./directory.ts";
import { diversePaths } from "./diverse_paths.ts";
import type { Node } from "./node.ts";

/** A node that says so in gossip carries packets. */
export const dataPlaneCapability = "tun";
/** ... and sends and understands parity. */
export const parityCapability = "fec";

/** Most paths one node is reached over at once. */
const maxPaths = 2;

/** A neighbour of this node. */
export interface DataPlaneLink {
  readonly id: NodeId;
  readonly kind: SessionKind;
  /** `ip:port` where it is seen from here. */
  readonly remote: string;
}

/** A node that carries packets, too. */
export interface DataPlaneNode {
  readonly id: NodeId;
  readonly addresses: readonly string[];
  /** Ranges outside the mesh that are reached through it. */
  readonly behind: readonly string[];
  readonly fec: boolean;
  /** From there to here, and back: places in `rules`. */
  readonly inbound: number;
  readonly outbound: number;
  /** The ways there, best first; flows are spread over them by weight. */
  readonly paths: readonly { readonly nodes: readonly NodeId[]; readonly weight: number }[];
}

/** All of the mesh that a data plane goes by. */
export interface DataPlaneSnapshot {
  /** Another one whenever anything below differs. */
  readonly version: number;
  readonly self: NodeId;
  readonly addresses: readonly string[];
  /** Ranges outside the mesh that this node leads others to. */
  readonly behind: readonly string[];
  readonly meshCidr: string;
  /** Where QUIC is bound, `ip:port`; null without QUIC. */
  readonly port: string | null;
  readonly links: readonly DataPlaneLink[];
  readonly nodes: readonly DataPlaneNode[];
  /** Each once: most pairs of nodes have the same ones. */
  readonly rules: readonly FlowRules[];
}

/** How packets to a peer travel: past the session, or in datagrams of one. */
export type Carrier = "fast" | "quic" | "websocket";

/** What core knows for the data plane, and what the data plane lets core know. */
export class DataPlaneView {
  readonly #node: Node;
  #version = 0;
  #stamp = "";
  #policy: CompiledPolicy | undefined;
  #carriers: ReadonlyMap<NodeId, Carrier> = new Map();

  constructor(node: Node) {
    this.#node = node;
  }

  /** Null: what was told as `known` still holds. */
  snapshot(known: number): DataPlaneSnapshot | null {
    const node = this.#node;
    const stamp = stampOf(node);
    if (stamp !== this.#stamp || node.policy !== this.#policy) {
      this.#stamp = stamp;
      this.#policy = node.policy;
      this.#version++;
    }
    return this.#version === known ? null : this.#make();
  }

  /** Whether packets between the two may be carried here: when any flow may be, in either direction. */
  mayCarry(from: NodeId, to: NodeId): boolean {
    const { revoked, policy } = this.#node;
    if (revoked.has(from) || revoked.has(to)) return false;
    return admitsSomeFlow(flowRules(policy, from, to)) ||
      admitsSomeFlow(flowRules(policy, to, from));
  }

  setCarriers(carriers: ReadonlyMap<NodeId, Carrier>): void {
    this.#carriers = carriers;
  }

  /** Undefined: no packets go there. */
  carrier(peer: NodeId): Carrier | undefined {
    return this.#carriers.get(peer);
  }

  #make(): DataPlaneSnapshot {
    const node = this.#node;
    const { body } = node.networkConfig;
    const rules: FlowRules[] = [];
    const places = new Map<string, number>();
    const place = (from: NodeId, to: NodeId) => {
      const found = flowRules(node.policy, from, to);
      const key = JSON.stringify(found);
      const at = places.get(key) ?? rules.push(found) - 1;
      places.set(key, at);
      return at;
    };
    const behind = node.packetExits.behind();
    const nodes: DataPlaneNode[] = [];
    for (const { id, certificate, report } of node.records()) {
      if (id === node.id || node.revoked.has(id)) continue;
      if (!report.capabilities.includes(dataPlaneCapability)) continue;
      const found = node.paths(id);
      const paths = "paths" in found ? diversePaths(found.paths, maxPaths) : [];
      nodes.push({
        id,
        addresses: meshAddressesOf(certificate, body.nodes[id]),
        behind: behind.get(id) ?? [],
        fec: report.capabilities.includes(parityCapability),
        inbound: place(id, node.id),
        outbound: place(node.id, id),
        paths: paths.map((path) => ({ nodes: path.nodes, weight: 1 / path.score })),
      });
    }
    return {
      version: this.#version,
      self: node.id,
      addresses: meshAddressesOf(node.credentials.certificate, body.nodes[node.id]),
      behind: node.packetExits.own(),
      meshCidr: body.meshCidr,
      port: node.describeListeners().quic,
      links: linksOf(node),
      nodes,
      rules,
    };
  }
}

function linksOf(node: Node): DataPlaneLink[] {
  return node.linkedPeers().flatMap((id) => {
    const link = node.link(id);
    return link === undefined ? [] : [{ id, kind: link.kind, remote: link.session.remoteAddress }];
  });
}

/** Differs when a snapshot would, the policy left aside; made in far less time. */
function stampOf(node: Node): string {
  const { epoch, version, hash } = node.networkConfig.news;
  const parts: (string | number)[] = [
    node.packetExits.version,
    node.credentials.certificate.fingerprint,
    `${epoch}.${version}.${hash}`,
    [...node.revoked].join(),
  ];
  for (const { id, kind, remote } of linksOf(node)) parts.push(id, kind, remote);
  for (const { id, certificate, report } of node.records()) {
    if (!report.capabilities.includes(dataPlaneCapability)) continue;
    parts.push(id, certificate.fingerprint, report.capabilities.join());
  }
  return parts.join(" ");
}
