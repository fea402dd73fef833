import type { PeerStatus, StatusReport } from "../../core/control/types.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import { formatDuration } from "./duration.ts";
import { shortIds } from "./short_ids.ts";
import { type Column, renderTable } from "./table.ts";

const columns: readonly Column[] = [
  { title: "NODE ID" },
  { title: "NAME", shrinkTo: 8, dispensable: 1 },
  { title: "TAGS", shrinkTo: 8, dispensable: 4 },
  { title: "ADDR", shrinkTo: 15, dispensable: 5 },
  { title: "MESH IP" },
  { title: "LINK" },
  { title: "LATENCY", align: "right" },
  { title: "LOSS", align: "right" },
  { title: "HOPS", align: "right", dispensable: 6 },
  { title: "VERSION", dispensable: 7 },
  { title: "ROLES", shrinkTo: 10, dispensable: 3 },
  { title: "LAST SEEN", align: "right", dispensable: 2 },
];

/** Where it stands how packets travel, on a node with a packet tunnel. */
const afterLink = columns.findIndex(({ title }) => title === "LINK") + 1;

/** `pulse status` for people: who this is, everybody else, what is wrong. */
export function statusText(
  report: StatusReport,
  options: { readonly width: number | undefined },
): string {
  const ids = [report.self.id, ...report.peers.map((peer) => peer.id)];
  const short = shortIds(ids);
  const lines = [...headline(report), ""];
  const rows = [selfRow(report, short), ...report.peers.map((peer) => peerRow(peer, short))];
  const shown = [...columns];
  if (report.peers.some((peer) => peer.carrier !== null)) {
    shown.splice(afterLink, 0, { title: "PACKETS" });
    rows[0]!.splice(afterLink, 0, "-");
    report.peers.forEach(({ carrier }, n) => rows[n + 1]!.splice(afterLink, 0, carrier ?? "-"));
  }
  lines.push(...renderTable(shown, rows, options));
  const unlinked = report.peers.filter((peer) => peer.path.length === 0);
  if (unlinked.length > 0) {
    lines.push("");
    for (const peer of unlinked.slice(0, 10)) {
      lines.push(
        `${escapeText(short(peer.id))} is out of reach: ${escapeText(peer.reason ?? "no path")}`,
      );
    }
    if (unlinked.length > 10) lines.push(`and ${unlinked.length - 10} more`);
  }
  const failed = report.plugins.filter((plugin) => plugin.state === "failed");
  if (report.warnings.length + failed.length > 0) lines.push("");
  for (const warning of report.warnings) {
    lines.push(`${warning.severity}: ${escapeText(warning.text)} [${escapeText(warning.code)}]`);
  }
  for (const plugin of failed) {
    lines.push(`error: plugin ${escapeText(plugin.name)} has failed: ${escapeText(plugin.detail)}`);
  }
  return `${lines.join("\n")}\n`;
}

function headline({ self, certificate, peers, config }: StatusReport): string[] {
  const mesh = self.meshAddresses.length === 0 ? "none yet" : self.meshAddresses.join(", ");
  const lines = [`Node ${self.id}`, `network ${self.network}, mesh ${mesh}`];
  const linked = peers.filter((peer) => peer.link !== "-").length;
  const state = self.joined ? "" : "not joined, ";
  lines.push(
    `${state}up ${formatDuration(self.uptimeSeconds)}, ${peers.length} ${
      peers.length === 1 ? "peer" : "peers"
    } (${linked} linked), pid ${self.pid}`,
  );
  if (certificate !== null) {
    lines.push(
      certificate.status === "expired"
        ? `certificate EXPIRED on ${certificate.notAfter}`
        : `certificate ${certificate.status}, ${formatDuration(certificate.remainingSeconds)} left`,
    );
  }
  if (config !== null && config.grantEpoch > 0) {
    const scribe = config.scribe === null
      ? "nobody"
      : config.scribe === self.id
      ? "this node"
      : config.scribe;
    lines.push(`network config ${config.epoch}.${config.version}, scribe ${scribe}`);
  }
  return lines.map(escapeText);
}

function selfRow({ self }: StatusReport, short: (id: string) => string): string[] {
  return [
    `${short(self.id)} *`,
    self.name ?? "-",
    self.tags.join(",") || "-",
    self.addresses[0] ?? "-",
    self.meshAddresses[0] ?? "-",
    "self",
    "-",
    "-",
    "0",
    self.version,
    roleText(self.roles, self.capabilities),
    "now",
  ];
}

function peerRow(peer: PeerStatus, short: (id: string) => string): string[] {
  const reachable = peer.path.length > 0;
  return [
    short(peer.id),
    peer.name ?? "-",
    peer.tags.join(",") || "-",
    peer.addresses[0] ?? "-",
    peer.meshAddresses[0] ?? "-",
    linkText(peer, short),
    peer.latencyMs === null ? "-" : `${peer.latencyMs.toFixed(1)}ms`,
    reachable ? `${Math.round(peer.loss * 100)}%` : "-",
    reachable ? String(peer.hops) : "-",
    peer.version || "-",
    roleText(peer.roles, peer.capabilities),
    `${formatDuration(peer.lastSeenSeconds)} ago`,
  ];
}

/** The link's kind, or the first relay of the path where there is no link. */
function linkText(peer: PeerStatus, short: (id: string) => string): string {
  if (peer.link !== "-") return peer.link;
  const via = peer.path[1];
  return via === undefined || peer.path.length < 3 ? "-" : `via ${short(via)}`;
}

/** Roles are granted by the CA; `socks` and the like are what the node says it does. Relaying goes without saying. */
function roleText(roles: readonly string[], capabilities: readonly string[]): string {
  const words = new Set([...roles, ...capabilities]);
  words.delete("relay");
  return words.size === 0 ? "-" : [...words].join(" ");
}
