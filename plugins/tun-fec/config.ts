import { z } from "zod";
import { PulseError } from "../../core/errors/mod.ts";
import type { Json } from "../../core/plugin/types.ts";
import { mostQueues } from "./loop/limits.ts";

const schema = z.strictObject({
  name: z.string().min(1).max(15).default("pulse0"),
  fec: z.boolean().default(false),
  queues: z.int().min(1).max(mostQueues).default(1),
  rekeySeconds: z.number().min(1).max(120).optional(),
});

/** What the packet tunnel is told. */
export interface TunConfig {
  /** Of the interface. */
  readonly name: string;
  /** Parity for peers that want it too. */
  readonly fec: boolean;
  /** Of the interface: peers in different ones do not wait for each other's packets. */
  readonly queues: number;
  /** Keys are replaced after so many seconds. @default 120 */
  readonly rekeySeconds?: number | undefined;
}

/** Reads the plugin's configuration. @throws {PulseError} TUN_CONFIG */
export function parseConfig(value: Json): TunConfig {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new PulseError(
    "TUN_CONFIG",
    `The configuration of the packet tunnel is wrong: ${path.join(".")}: ${message}`,
  );
}
