import { hash } from "node:crypto";
import { decode, encode } from "@msgpack/msgpack";
import { errorText } from "../errors/mod.ts";
import { parseIpv4, parseIpv6 } from "../identity/ip_text.ts";
import type { NodeId } from "../identity/types.ts";
import { GossipError } from "./errors.ts";
import { maxContentBytes, reportLimits } from "./limits.ts";
import type { LinkReport, SelfReport, ServiceReport } from "./types.ts";

/**
 * What a signed head's hash stands for: a MessagePack array
 *
 *     [1, certificate fingerprint (32 bytes), [address], version, [capability], [[service, port]], [CIDR],
 *      [[peer id (16 bytes), latency in 0.01 ms, loss in 0.1 %]]]
 *
 * Elements beyond these eight are left for newer versions. Nobody but the author ever encodes it: others keep and
 * forward the bytes they got.
 */
export interface Content {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  readonly report: SelfReport;
  /** Of the certificate whose key signed the head; lower-case hex. */
  readonly fingerprint: string;
}

const contentFormat = 1;
const maxElements = 16;
const decodeLimits = {
  maxStrLength: 512,
  maxBinLength: 64,
  maxArrayLength: reportLimits.links,
  maxMapLength: 0,
  maxExtLength: 0,
};
const addressPattern = /^(?:\[([0-9a-f:.]{2,45})\]|([A-Za-z0-9_.-]{1,253})):([1-9][0-9]{0,4})$/;
const cidrPattern = /^([0-9a-f:.]{2,45})\/(0|[1-9][0-9]{0,2})$/;
/** Shown on terminals, so nothing but printable ASCII. */
const versionPattern = /^[\x21-\x7e]*$/;
const labelPattern = /^[a-z0-9][a-z0-9_.:-]*$/;

export function contentHash(bytes: Uint8Array): Uint8Array {
  return Uint8Array.fromHex(hash("sha256", bytes, "hex"));
}

/**
 * Encodes a report; latency and loss are rounded to the units of the wire.
 * @throws {GossipError} GOSSIP_REPORT_INVALID with what others would refuse it for
 */
export function encodeContent(report: SelfReport, fingerprint: string, author: NodeId): Content {
  try {
    const bytes = encode([
      contentFormat,
      Uint8Array.fromHex(fingerprint),
      report.addresses,
      report.version,
      report.capabilities,
      report.services.map((service) => [service.name, service.port]),
      report.exitCidrs,
      report.links.map((link) => [
        Uint8Array.fromHex(link.peer),
        Math.round(link.latencyMs * 100),
        Math.round(link.loss * 1000),
      ]),
    ]);
    return decodeContent(bytes, author);
  } catch (error) {
    throw new GossipError(
      "GOSSIP_REPORT_INVALID",
      `this node's own report cannot be published: ${errorText(error)}`,
      {},
      error,
    );
  }
}

/**
 * Reads content as strictly as possible: whatever it returns is within `reportLimits`. The bytes are copied.
 * @throws {GossipError} GOSSIP_RECORD_MALFORMED
 */
export function decodeContent(input: Uint8Array, author: NodeId): Content {
  if (input.length > maxContentBytes) {
    throw malformed(`has ${input.length} bytes where ${maxContentBytes} are allowed`);
  }
  const bytes = input.slice();
  const fields = list(parse(bytes), "content", maxElements);
  if (fields[0] !== contentFormat) throw malformed(`has format ${String(fields[0])}`);
  const report: SelfReport = {
    addresses: distinct(
      list(fields[2], "addresses", reportLimits.addresses).map(readAddress),
      "address",
    ),
    version: readText(fields[3], "version", 0, reportLimits.versionLength, versionPattern),
    capabilities: distinct(
      list(fields[4], "capabilities", reportLimits.capabilities).map((label) =>
        readText(label, "capability", 1, reportLimits.capabilityLength, labelPattern)
      ),
      "capability",
    ),
    services: list(fields[5], "services", reportLimits.services).map(readService),
    exitCidrs: distinct(list(fields[6], "CIDRs", reportLimits.exitCidrs).map(readCidr), "CIDR"),
    links: list(fields[7], "links", reportLimits.links).map((link) => readLink(link, author)),
  };
  distinct(report.links.map((link) => link.peer), "link");
  distinct(report.services.map((service) => service.name), "service");
  return {
    bytes,
    hash: contentHash(bytes),
    report,
    fingerprint: readBytes(fields[1], "fingerprint", 32).toHex(),
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, decodeLimits);
  } catch (error) {
    throw new GossipError(
      "GOSSIP_RECORD_MALFORMED",
      `the record is not MessagePack within its limits: ${errorText(error)}`,
      {},
      error,
    );
  }
}

function malformed(what: string): GossipError {
  return new GossipError("GOSSIP_RECORD_MALFORMED", `the record ${what}`);
}

function list(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`has no list of ${what}`);
  if (value.length > max) throw malformed(`has ${value.length} ${what}, ${max} are allowed`);
  return value;
}

function distinct(values: readonly string[], what: string): readonly string[] {
  if (values.length > 1 && new Set(values).size !== values.length) {
    throw malformed(`names a ${what} twice`);
  }
  return values;
}

function readBytes(value: unknown, what: string, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) {
    throw malformed(`has no ${what} of ${length} bytes`);
  }
  return value;
}

function readText(
  value: unknown,
  what: string,
  min: number,
  max: number,
  pattern: RegExp,
): string {
  if (
    typeof value !== "string" || value.length < min || value.length > max || !pattern.test(value)
  ) {
    throw malformed(`has a ${what} that is not ${min} to ${max} allowed characters`);
  }
  return value;
}

function readInteger(value: unknown, what: string, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw malformed(`has a ${what} outside ${min}..${max}`);
  }
  return value;
}

function readAddress(value: unknown): string {
  const match = typeof value === "string" ? addressPattern.exec(value) : null;
  if (
    match === null || Number(match[3]) > 65_535 ||
    (match[1] !== undefined && parseIpv6(match[1]) === null)
  ) {
    throw malformed("has an address that is not host:port");
  }
  return match[0];
}

function readCidr(value: unknown): string {
  const match = typeof value === "string" ? cidrPattern.exec(value) : null;
  const ip = match?.[1] ?? "";
  const bits = Number(match?.[2]);
  if (match === null || bits > (parseIpv4(ip) !== null ? 32 : parseIpv6(ip) !== null ? 128 : -1)) {
    throw malformed("has an exit route that is not a CIDR");
  }
  return match[0];
}

function readService(value: unknown): ServiceReport {
  const [name, port] = list(value, "service fields", 4);
  return {
    name: readText(name, "service name", 1, reportLimits.serviceNameLength, labelPattern),
    port: readInteger(port, "service port", 1, 65_535),
  };
}

function readLink(value: unknown, author: NodeId): LinkReport {
  const [peer, latency, loss] = list(value, "link fields", 8);
  const id = readBytes(peer, "link peer", 16).toHex();
  if (id === author) throw malformed("names its author as the author's own peer");
  return {
    peer: id,
    latencyMs: readInteger(latency, "link latency", 0, reportLimits.latencyMs * 100) / 100,
    loss: readInteger(loss, "link loss", 0, 1000) / 1000,
  };
}
