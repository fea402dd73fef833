import { join } from "node:path";
import { resolveDataDir } from "../core/config/resolve_config.ts";
import type { ControlClient } from "../core/control/client.ts";
import { dataFiles } from "../core/control/types.ts";
import type { CommonOptions } from "./command_line/command.ts";
import type { CliIo } from "./io.ts";

/** The node's directory that a command is about. @throws {ConfigError} */
export function dataDirOf(options: Pick<CommonOptions, "dataDir">, io: CliIo): string {
  return resolveDataDir(options.dataDir, { home: io.env("HOME"), cwd: io.cwd });
}

/** Runs something with a client of the node's control socket. */
export async function withClient<T>(
  options: Pick<CommonOptions, "dataDir">,
  io: CliIo,
  run: (client: ControlClient) => Promise<T>,
): Promise<T> {
  const { ControlClient } = await import("../core/control/client.ts");
  using client = new ControlClient(join(dataDirOf(options, io), dataFiles.controlSocket));
  return await run(client);
}

/** Indented for people who pipe it nowhere. */
export function printJson(io: CliIo, value: unknown): void {
  io.stdout(`${JSON.stringify(value, null, io.stdoutIsTerminal ? 2 : 0)}\n`);
}
