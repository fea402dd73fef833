import { freePorts } from "./fixtures/free_ports.ts";
import { pause } from "./fixtures/within.ts";
import { allEnded, commandLine, descendants, eventually, kill9 } from "../lab/mod.ts";

Deno.test("a launcher killed at any moment takes its daemon with it: none lives on unseen", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-launcher-" });
  const [port] = freePorts(1);
  const [program = "", ...args] = commandLine({
    args: ["--ca", "--listen", `127.0.0.1:${port}`],
    dataDir,
  });
  try {
    // From the very beginning of the daemon's life to well behind the end of its start.
    for (const delay of [0, 0, 100, 200, 400, 1_500]) {
      const launcher = new Deno.Command(program, {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const daemons = await eventually(() => {
        const found = descendants(launcher.pid);
        return found.length > 0 && found;
      }, { what: "the daemon process", intervalMs: 5 });
      await pause(delay);
      launcher.kill("SIGKILL");
      await launcher.status;
      try {
        await allEnded(daemons, 30_000);
      } catch (error) {
        for (const pid of daemons) kill9(pid);
        throw new Error(`killed ${delay} ms after its daemon had begun`, { cause: error });
      }
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
