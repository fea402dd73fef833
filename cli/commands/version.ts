import { version as pulseVersion } from "../../core/version.ts";
import type { CliIo } from "../io.ts";

/** Needs nothing but itself, so that it starts fast. */
export function version(io: CliIo, json: boolean): void {
  io.stdout(
    json
      ? `${JSON.stringify({ pulse: pulseVersion, deno: Deno.version.deno, v8: Deno.version.v8 })}\n`
      : `pulse ${pulseVersion}\n`,
  );
}
