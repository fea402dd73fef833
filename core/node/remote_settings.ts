import { CommandError } from "../commands/mod.ts";
import { errorText } from "../errors/mod.ts";
import { parseLogLevel } from "../log/mod.ts";
import type { LogLevel } from "../plugin/types.ts";

/**
 * Takes over settings from afar: all of them, or none. They hold until the node starts again. What opens doors or decides whom a
 * node trusts is not among them.
 * @returns what is so now
 * @throws {CommandError} REMOTE_SETTING_INVALID
 */
export function applyRemoteSettings(
  settings: { readonly [key: string]: string },
  node: { setLogLevel(level: LogLevel): void },
): string {
  const actions: (() => void)[] = [];
  for (const [key, value] of Object.entries(settings)) {
    if (key !== "log-level") {
      throw new CommandError(
        "REMOTE_SETTING_INVALID",
        `"${key.slice(0, 40)}" cannot be set from afar; log-level can`,
        { key: key.slice(0, 40) },
      );
    }
    const level = levelOf(value);
    actions.push(() => node.setLogLevel(level));
  }
  for (const act of actions) act();
  return Object.entries(settings).map(([key, value]) => `${key} is ${value}`).join(", ");
}

function levelOf(value: string): LogLevel {
  try {
    return parseLogLevel(value);
  } catch (cause) {
    throw new CommandError("REMOTE_SETTING_INVALID", `log-level: ${errorText(cause)}`, {}, cause);
  }
}
