import { isIPv4 } from "node:net";
import { ipToText, parseIpv4, parseIpv6 } from "../identity/mod.ts";
import { type DatagramTarget, StreamError } from "../streams/mod.ts";
import { resolveTarget, type TargetPolicy } from "./target.ts";

/**
 * Where the datagrams of a flow to a target named by a peer go: one address, because UDP has no refusal that would lead to the
 * next. IPv4 comes first, being what most machines have a route for.
 * @throws {StreamError} STREAM_TARGET_INVALID, STREAM_DENIED, STREAM_HOST_UNREACHABLE
 */
export async function udpTarget(text: string, policy: TargetPolicy): Promise<DatagramTarget> {
  const { host, port, addresses } = await resolveTarget(text, policy);
  const address = addresses.find((one) => isIPv4(one)) ?? addresses[0];
  const bytes = address === undefined ? null : parseIpv4(address) ?? parseIpv6(address);
  if (bytes === null) throw new StreamError("STREAM_HOST_UNREACHABLE", `${host} has no address`);
  return { hostname: ipToText(bytes), port };
}
