import { z } from "zod";
import { parseHostPort } from "../../core/address/mod.ts";
import { errorText, PulseError } from "../../core/errors/mod.ts";
import type { Json } from "../../core/plugin/types.ts";
import type { SocksUsers } from "./socks_protocol.ts";

/** RFC 1929 writes the length of each in one byte. */
const credential = z.string().min(1).refine(
  (text) => new TextEncoder().encode(text).length <= 255,
  "is longer than 255 bytes",
);

const schema = z.strictObject({
  listen: z.string().max(300).default("127.0.0.1:1080"),
  users: z.record(credential, credential).default({}),
  direct: z.boolean().default(false),
  udp: z.union([z.boolean(), z.array(z.string().max(300)).max(16)]).default(false),
});

/** Where to listen, whom to serve, and how far they may go. */
export interface SocksConfig {
  readonly hostname: string;
  readonly port: number;
  /** Name and password of each user; empty: no authentication. */
  readonly users: SocksUsers;
  /** Dial hosts outside the mesh from this machine; off, they are refused. */
  readonly direct: boolean;
  /** Hosts whose datagrams are taken (`true`: all); `false`: UDP ASSOCIATE is refused. */
  readonly udp: boolean | readonly string[];
}

/**
 * Reads the plugin's configuration. An address without a host (`:1080`) means every address of this machine.
 * @throws {PulseError} SOCKS_CONFIG
 */
export function parseConfig(value: Json): SocksConfig {
  const result = schema.safeParse(value ?? {});
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw wrong(`${path.join(".")}: ${message}`);
  }
  const { listen, users, direct, udp } = result.data;
  try {
    const { host, port } = parseHostPort(listen);
    return {
      hostname: host === "" ? "0.0.0.0" : host,
      port,
      users: new Map(Object.entries(users)),
      direct,
      udp,
    };
  } catch (cause) {
    throw wrong(`listen: ${errorText(cause)}`, cause);
  }
}

function wrong(what: string, cause?: unknown): PulseError {
  return new PulseError("SOCKS_CONFIG", `The configuration of SOCKS is wrong: ${what}`, {}, cause);
}
