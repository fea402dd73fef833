import type { CertificateStatus, Lifetime, PeerStatus, SelfStatus } from "../control/types.ts";
import type { GossipRecord } from "../gossip/types.ts";
import type { Credentials, NodeCertificate, NodeId } from "../identity/types.ts";
import { emptyBody } from "../netconfig/mod.ts";
import { version } from "../version.ts";
import { labels, meshAddressesOf } from "./directory.ts";
import type { Link } from "./link_manager.ts";
import type { Node } from "./node.ts";

/** A certificate with less than this share of its life left is worth a warning. */
const warnBelow = 0.25;

/** What the certificate and its CA's are worth at `now` (wall clock, ms). */
export function certificateStatus(credentials: Credentials, now: number): CertificateStatus {
  const { certificate, anchor } = credentials;
  return {
    serial: certificate.serial,
    fingerprint: certificate.fingerprint,
    ...lifetime(certificate, now),
    caFingerprint: anchor.fingerprint,
    ca: lifetime(anchor, now),
  };
}

function lifetime(
  { notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number },
  now: number,
): Lifetime {
  const left = notAfter - now;
  return {
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
    remainingSeconds: Math.max(0, Math.floor(left / 1000)),
    status: left <= 0
      ? "expired"
      : left < (notAfter - notBefore) * warnBelow
      ? "expiring"
      : "valid",
  };
}

/** Everything known about every other node: those with a link and those gossip told of. */
export function peerStatuses(node: Node, now: number): PeerStatus[] {
  const ids = new Set<NodeId>(node.linkedPeers());
  for (const record of node.records()) ids.add(record.id);
  ids.delete(node.id);
  return [...ids].sort().map((id) => peerStatus(node, id, now));
}

function peerStatus(node: Node, id: NodeId, now: number): PeerStatus {
  const record: GossipRecord | undefined = node.record(id);
  const link: Link | undefined = node.link(id);
  const certificate = newer(record?.certificate, link?.session.peer);
  const found = node.paths(id);
  const best = "paths" in found ? found.paths[0] : undefined;
  const measure = link && node.measure(link);
  const path = best?.nodes ?? (link ? [node.id, id] : []);
  const { body } = node.networkConfig;
  return {
    id,
    ...labels(body, id),
    addresses: record?.report.addresses ?? [],
    meshAddresses: meshAddressesOf(certificate, body.nodes[id]),
    link: link?.kind ?? "-",
    carrier: node.dataPlane.carrier(id) ?? null,
    latencyMs: measure?.latencyMs ?? best?.latencyMs ?? null,
    loss: measure?.loss ?? best?.loss ?? 0,
    hops: Math.max(0, path.length - 1),
    path,
    reason: link
      ? null
      : whyNoLink(record, best !== undefined, "reason" in found ? found.detail : ""),
    version: record?.report.version ?? "",
    roles: certificate?.roles ?? [],
    capabilities: record?.report.capabilities ?? [],
    lastSeenSeconds: record === undefined ? 0 : Math.max(0, (now - record.refreshedAt) / 1000),
    bytesIn: link?.session.stats.bytesIn ?? 0,
    bytesOut: link?.session.stats.bytesOut ?? 0,
  };
}

/** A link keeps the certificate it was made with; gossip has a renewed one, or has not heard yet. */
function newer(
  a: NodeCertificate | undefined,
  b: NodeCertificate | undefined,
): NodeCertificate | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.notBefore > a.notBefore ? b : a;
}

function whyNoLink(
  record: GossipRecord | undefined,
  relayed: boolean,
  detail: string,
): string {
  const direct = record !== undefined && record.report.addresses.length > 0
    ? "no direct link: none of its addresses answers this node"
    : "no direct link: the node advertises no address";
  return relayed ? `${direct}; relayed` : `${direct}; ${detail}`;
}

/** This node in one piece; `node` is undefined until it has joined. */
export function selfStatus(options: {
  readonly id: NodeId;
  readonly network: string;
  readonly credentials: Credentials | undefined;
  readonly node: Node | undefined;
  readonly startedAt: number;
  readonly now: number;
  readonly capabilities: readonly string[];
  readonly dataDir: string;
}): SelfStatus {
  const { node } = options;
  const body = node?.networkConfig.body ?? emptyBody;
  return {
    id: options.id,
    ...labels(body, options.id),
    network: options.network,
    version,
    joined: options.credentials !== undefined,
    pid: Deno.pid,
    uptimeSeconds: Math.floor((options.now - options.startedAt) / 1000),
    meshAddresses: meshAddressesOf(options.credentials?.certificate, body.nodes[options.id]),
    addresses: node?.addresses ?? [],
    listen: node?.describeListeners() ?? { quic: null, websocket: null },
    roles: options.credentials?.certificate.roles ?? [],
    capabilities: options.capabilities,
    dataDir: options.dataDir,
  };
}
