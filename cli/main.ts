import { processIo } from "./io.ts";
import { runCli } from "./run_cli.ts";

async function main(): Promise<number> {
  using io = processIo();
  return await runCli(Deno.args, io);
}

// Ends pending reads of stdin too, which would otherwise keep the process.
Deno.exit(await main());
