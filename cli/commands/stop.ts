import type { StopCommand } from "../command_line/command.ts";
import { PulseError } from "../../core/errors/mod.ts";
import { printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { waitUntilGone } from "../launch/wait_until_gone.ts";

/** A node that has not ended by then is reported, not killed: it may be writing. */
const stopTimeoutMs = 30_000;

/** Asks the daemon to stop and waits until its process is gone. */
export async function stop(command: StopCommand, io: CliIo): Promise<number> {
  const pid = await withClient(command, io, (client) => client.stop());
  if (!await waitUntilGone(pid, stopTimeoutMs)) {
    throw new PulseError(
      "STOP_TIMEOUT",
      `The daemon (pid ${pid}) was asked to stop and still runs after ${
        stopTimeoutMs / 1000
      } s; see "pulse logs", and end it with: kill -9 ${pid}`,
      { pid },
    );
  }
  if (command.json) printJson(io, { stopped: true, pid });
  else io.stdout("pulse stopped\n");
  return exitCode.ok;
}
