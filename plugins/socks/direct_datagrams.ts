import { isIPv4 } from "node:net";
import { PulseError } from "../../core/errors/mod.ts";
import { ipToText, parseIpv4, parseIpv6 } from "../../core/identity/mod.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { carryDatagrams } from "../../core/streams/carry_datagrams.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import { allowedAddresses, type DialRules } from "./direct_dial.ts";

/**
 * A stream of datagrams to a host outside the mesh, sent from this machine. The rules are those of connections.
 * @throws {PulseError} STREAM_DENIED, STREAM_HOST_UNREACHABLE
 */
export async function directDatagrams(
  host: string,
  port: number,
  signal: AbortSignal,
  rules?: DialRules,
): Promise<ByteStream> {
  const addresses = await allowedAddresses(host, signal, rules);
  const address = addresses.find((one) => isIPv4(one)) ?? addresses[0];
  const bytes = address === undefined ? null : parseIpv4(address) ?? parseIpv6(address);
  if (bytes === null) {
    throw new PulseError("STREAM_HOST_UNREACHABLE", `${host} has no address`, { host });
  }
  const [near, far] = memoryStreamPair();
  // Ends with the stream, and says so there.
  void carryDatagrams(far, { hostname: ipToText(bytes), port });
  return near;
}
