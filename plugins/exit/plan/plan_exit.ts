import { containsRange, parseCidr } from "../../../core/address/mod.ts";
import type { Route } from "../../../ffi/mod.ts";
import type { HostChange } from "../host_changes/types.ts";
import type { ExitSnapshot, HostFacts } from "./types.ts";

/** RTPROT_RA: a router has said so. */
const routerAdvertised = 9;

/**
 * What has to be so on a machine that leads others out of the mesh: packets of its ranges are forwarded, between the mesh's interface
 * and those that the ranges are reached by and no others. Nothing while there is no range or no interface.
 */
export function planExit(snapshot: ExitSnapshot, facts: HostFacts): HostChange[] {
  const { own, meshCidrs } = snapshot;
  const { device, routes, links, chains } = facts;
  if (device === undefined || own.length === 0) return [];
  const name = (index: number | undefined) => links.find((link) => link.index === index)?.name;
  const changes: HostChange[] = [];
  const ways = egressRoutes(routes, own).filter((route) => route.device !== device.index);
  if (own.some((cidr) => !cidr.includes(":"))) {
    const devices = ways.filter(({ family }) => family === "ipv4").map((way) => name(way.device));
    for (const one of new Set([device.name, ...devices])) {
      if (one === undefined) continue;
      changes.push({ kind: "setting", name: `net/ipv4/conf/${one}/forwarding`, value: "1" });
    }
  }
  if (own.some((cidr) => cidr.includes(":"))) {
    // A machine that forwards no longer listens to routers, unless it is told to: it would lose its own default route.
    const advertised = routes.filter((route) =>
      route.family === "ipv6" && route.protocol === routerAdvertised
    );
    for (const one of new Set(advertised.map((route) => name(route.device)))) {
      if (one === undefined) continue;
      changes.push({ kind: "setting", name: `net/ipv6/conf/${one}/accept_ra`, value: "2" });
    }
    changes.push({ kind: "forwarding6" });
  }
  changes.push({
    kind: "filter",
    filter: { device: device.name, ranges: own, mesh: meshCidrs },
  });
  for (const { table, name: chain, hook, drops } of chains) {
    if (hook !== "forward" || !drops) continue;
    changes.push({ kind: "pass", table, chain, device: device.name });
  }
  return changes;
}

/** The routes that packets to the ranges may take: those inside each range, and the longest one around it. */
function egressRoutes(routes: readonly Route[], ranges: readonly string[]): readonly Route[] {
  const unicast = routes.filter(({ type }) => type === "unicast");
  const parsed = unicast.map((route) => ({ route, cidr: parseCidr(route.destination) }));
  const used = new Set<Route>();
  for (const text of ranges) {
    const range = parseCidr(text);
    if (range === null) continue;
    let around = -1;
    for (const { cidr } of parsed) {
      if (cidr !== null && containsRange(cidr, range)) around = Math.max(around, cidr.prefix);
    }
    for (const { route, cidr } of parsed) {
      if (cidr === null || cidr.bytes.length !== range.bytes.length) continue;
      const holds = containsRange(cidr, range) && cidr.prefix === around;
      if (holds || containsRange(range, cidr)) used.add(route);
    }
  }
  return [...used];
}
