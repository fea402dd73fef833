import { z } from "zod";
import { errorText, PulseError } from "../../core/errors/mod.ts";
import type { Json } from "../../core/plugin/types.ts";

const schema = z.strictObject({ interface: z.string().min(1).max(15) });

/** What the exit plugin is told. */
export interface ExitConfig {
  /** Name of the mesh's interface. */
  readonly interface: string;
}

/** @throws {PulseError} EXIT_CONFIG */
export function parseConfig(value: Json): ExitConfig {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new PulseError(
    "EXIT_CONFIG",
    `The configuration of exits is wrong: ${errorText(result.error.issues[0])}`,
  );
}
