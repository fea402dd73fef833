import type { DaemonConfig } from "../config/mod.ts";
import { dataPlaneCapability, parityCapability } from "./data_plane_view.ts";
import { exitCapability, packetExitCapability } from "./exit_view.ts";

type Enabled = Pick<DaemonConfig, "ca" | "scribe" | "socks" | "dns" | "exit" | "tun">;

/** What a node tells the others it can do. @param runs whether a plugin runs now */
export function ownCapabilities(config: Enabled, runs: (plugin: string) => boolean): string[] {
  const capabilities = ["relay"];
  if (config.ca) capabilities.push("ca");
  if (config.scribe) capabilities.push("scribe");
  if (config.socks !== null) capabilities.push("socks");
  if (config.dns !== null) capabilities.push("dns");
  if (config.exit.cidrs.length > 0) capabilities.push(exitCapability);
  if (config.tun !== null && runs("tun-fec")) {
    capabilities.push(dataPlaneCapability);
    if (config.tun.fec) capabilities.push(parityCapability);
    if (config.exit.cidrs.length > 0 && runs("exit")) capabilities.push(packetExitCapability);
  }
  return capabilities;
}
