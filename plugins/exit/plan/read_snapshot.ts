import { z } from "zod";
import { errorText, PulseError } from "../../../core/errors/mod.ts";
import type { Json } from "../../../core/plugin/types.ts";
import type { ExitSnapshot } from "./types.ts";

const ranges = z.array(z.string().max(64)).max(10_000);

const snapshot = z.strictObject({
  own: ranges,
  active: ranges,
  use: z.string().max(64).nullable(),
  killswitch: z.boolean(),
  meshCidrs: z.array(z.string().max(64)).max(16),
  port: z.int().min(1).max(65_535),
  underlay: z.array(z.string().max(80)).max(10_000),
});

/** Reads what core says of exits. @throws {PulseError} EXIT_SNAPSHOT */
export function readSnapshot(value: Json): ExitSnapshot {
  const result = snapshot.safeParse(value);
  if (result.success) return result.data;
  throw new PulseError(
    "EXIT_SNAPSHOT",
    `What core says of exits is not what the exit plugin understands: ${
      errorText(result.error.issues[0])
    }`,
  );
}
