/**
 * `deno task demo`: three nodes on this machine, without root, and what they can do. Ends by itself, cleans up after itself;
 * exit code 0 means that everything it claims was shown.
 * @module
 */
import { errorText } from "../../core/errors/mod.ts";
import { runDemo } from "./demo.ts";
import { Screen } from "./screen.ts";

async function main(): Promise<number> {
  const output = new TextEncoder();
  const screen = new Screen({
    write: (text) => Deno.stdout.writeSync(output.encode(text)),
    terminal: Deno.stdout.isTerminal(),
    now: () => performance.now(),
  });
  screen.title(
    "pulse demo",
    "A client fetches a file from a server it has no direct way to. All on 127.0.0.1, without root.",
  );
  const interrupt = new AbortController();
  const stop = () => interrupt.abort(new Error("interrupted"));
  Deno.addSignalListener("SIGINT", stop);
  Deno.addSignalListener("SIGTERM", stop);
  const directory = await Deno.makeTempDir({ prefix: "pulse-demo-" });
  try {
    await runDemo(screen, directory, interrupt.signal);
  } catch (error) {
    const texts = withoutSuppression(error).map(errorText);
    screen.say(texts.join("\n"));
    screen.prove("The demo runs to its end", false, texts[0]?.split("\n")[0]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return screen.summary() ? 0 : 1;
}

/** What went wrong first, then what went wrong while cleaning up after it. */
function withoutSuppression(error: unknown): unknown[] {
  return error instanceof SuppressedError
    ? [...withoutSuppression(error.suppressed), ...withoutSuppression(error.error)]
    : [error];
}

if (import.meta.main) Deno.exit(await main());
