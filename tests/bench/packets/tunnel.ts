import type { LabLink } from "../../lab/lab_link.ts";
import type { Lab } from "../../lab/namespaces.ts";

/** Where a tunnel is built: `a` and `b`, joined by one cable or by `relay` with one to each. */
export interface TunnelSite {
  readonly lab: Lab;
  /** The cable of each neighbour, by the names of its two ends. */
  readonly cables: readonly LabLink[];
  /** A folder that goes with the site. */
  readonly folder: string;
  /** `a`, `b`; and `relay` between them. */
  readonly nodes: readonly ["a", "b"] | readonly ["a", "relay", "b"];
}

/** A tunnel that carries packets between `a` and `b`. */
export interface RunningTunnel extends AsyncDisposable {
  /** `b` as seen from `a`, inside the tunnel. */
  readonly address: string;
  /** The processes whose time and memory it costs. */
  readonly pids: readonly number[];
}

/** A program that makes tunnels. */
export interface TunnelKind {
  readonly name: string;
  /** Programs on PATH that it is made of. */
  readonly commands: readonly string[];
  /** Whether it can be carried on by a third node without routing there. */
  readonly relays: boolean;
  start(site: TunnelSite): Promise<RunningTunnel>;
}

/** The address of `node` on its cable to `other`. @throws {Error} they have none */
export function outerAddress({ cables }: TunnelSite, node: string, other: string): string {
  const cable = cables.find((each) => each.connects(node, other));
  if (cable === undefined) throw new Error(`there is no cable between ${node} and ${other}`);
  return cable.ipv4(node);
}
