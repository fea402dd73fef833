import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { Change } from "./types.ts";

/**
 * The body of an old version again. Revocations and join tokens stay as they are now: going back must not let in who has been put out
 * since, nor bring a withdrawn token to life.
 */
export const rollBack: Change<{ readonly version: string; readonly old: ConfigBody }> = (
  body,
  { version, old },
) => {
  const { revoked, tokens } = body;
  const next = { ...old, revoked, tokens };
  if (JSON.stringify(next) === JSON.stringify(body)) return { body, note: "config unchanged" };
  return { body: next, note: `back to version ${version}` };
};
