import type { ConfigPosition } from "./types.ts";

/** Before every config. */
export const noPosition: ConfigPosition = { epoch: 0, version: 0 };

/** Below zero when `a` comes first, above when `b` does. */
export function comparePositions(a: ConfigPosition, b: ConfigPosition): number {
  return a.epoch - b.epoch || a.version - b.version;
}

/** `epoch.version`, for people and for error fields. */
export function positionText({ epoch, version }: ConfigPosition): string {
  return `${epoch}.${version}`;
}
