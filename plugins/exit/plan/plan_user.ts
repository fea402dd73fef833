import { isPublic, underlayMark } from "../../../core/exits/mod.ts";
import { parseHostPort } from "../../../core/address/mod.ts";
import { type Family, MAIN_TABLE, type Rule } from "../../../ffi/mod.ts";
import type { HostChange } from "../host_changes/types.ts";
import type { ExitSnapshot, HostFacts } from "./types.ts";

/** Routing table of what goes to an exit. */
export const exitTableNumber = 28_789;

/** Rules are asked in this order: this node itself and its name servers first, then the neighbourhood, then the exit. */
const priority = { underlay: 20_800, near: 20_820, exit: 20_830 } as const;

/** Behind every route that there may be. */
const lastMetric = 4_294_967_295;

const maxUnderlay = 256;
const maxNameservers = 8;
const maxAddresses = 64;

const families: readonly Family[] = ["ipv4", "ipv6"];

/**
 * What has to be so on a machine that uses exits: what lies behind one is routed into the mesh, but what this node sends to other
 * nodes, what lies nearer by any route but the default one, and questions for names go as before. With the kill switch the table
 * ends in a route to nowhere, so that without an exit nothing takes the default route.
 */
export function planUser(snapshot: ExitSnapshot, facts: HostFacts): HostChange[] {
  return families.flatMap((family) => planFamily(family, snapshot, facts));
}

function planFamily(family: Family, snapshot: ExitSnapshot, facts: HostFacts): HostChange[] {
  const { active, killswitch, use } = snapshot;
  const { device } = facts;
  const blocks = killswitch && use !== null;
  const ranges = device === undefined ? [] : active.filter((cidr) => familyOf(cidr) === family);
  if (ranges.length === 0 && !blocks) return [];
  const all = family === "ipv4" ? "0.0.0.0/0" : "::/0";
  const changes: HostChange[] = exceptions(family, snapshot, facts)
    .map((rule) => ({ kind: "rule", rule: { family, priority: priority.underlay, ...rule } }));
  if (blocks) {
    const route = { destination: all, table: exitTableNumber, metric: lastMetric };
    changes.push({ kind: "route", route: { ...route, type: "unreachable" } });
  }
  for (const destination of ranges) {
    const route = { destination, table: exitTableNumber, ...device && { device: device.index } };
    changes.push({ kind: "route", route });
  }
  // The rules come last: without the routes they would lead nowhere.
  const near = { priority: priority.near, table: MAIN_TABLE, suppressPrefixLength: 0 };
  changes.push(
    { kind: "rule", rule: { family, ...near } },
    { kind: "rule", rule: { family, priority: priority.exit, table: exitTableNumber } },
  );
  return changes;
}

/** What is routed as if there were no exit. */
function exceptions(
  family: Family,
  snapshot: ExitSnapshot,
  facts: HostFacts,
): Omit<Rule, "family" | "priority">[] {
  const { port, underlay, killswitch, meshCidrs } = snapshot;
  const table = MAIN_TABLE;
  const rules: Omit<Rule, "family" | "priority">[] = [{ table, mark: underlayMark }];
  for (const transport of ["udp", "tcp"] as const) {
    rules.push({ table, transport, sourcePort: port });
  }
  const seen = new Set<string>();
  for (const text of underlay) {
    if (seen.size >= maxUnderlay) break;
    const { host, port: destinationPort } = parseHostPort(text);
    if (seen.has(text) || familyOf(host) !== family || destinationPort === 0) continue;
    seen.add(text);
    rules.push({ table, transport: "tcp", to: single(host), destinationPort });
  }
  const asked = facts.nameservers.filter((ip) =>
    familyOf(ip) === family && isPublic(ip, meshCidrs)
  );
  for (const ip of asked.slice(0, maxNameservers)) {
    for (const transport of ["udp", "tcp"] as const) {
      rules.push({ table, transport, to: single(ip), destinationPort: 53 });
    }
  }
  // Who has been reached from outside answers from there. With the kill switch that would be a way past it.
  if (!killswitch) {
    const own = facts.addresses.filter((ip) => familyOf(ip) === family).slice(0, maxAddresses);
    for (const ip of own) rules.push({ table, from: single(ip) });
  }
  return rules;
}

function familyOf(text: string): Family {
  return text.includes(":") ? "ipv6" : "ipv4";
}

function single(ip: string): string {
  return `${ip}/${ip.includes(":") ? 128 : 32}`;
}
