import { parseSimOptions, type SimOptions, usage } from "./options.ts";
import { formatResult } from "./report.ts";
import { phaseSeconds, Scenario } from "./scenario.ts";

/** `deno task sim`: the result on stdout, what it cost on stderr. */
function main(args: readonly string[]): number {
  let options: SimOptions | "help";
  try {
    options = parseSimOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options === "help") {
    console.log(usage);
    return 0;
  }
  const least = phaseSeconds(options);
  if (options.minutes * 60 < least) {
    console.error(`note: the phases take up to ${least} virtual seconds, more than --minutes says`);
  }
  const began = performance.now();
  const scenario = new Scenario(options);
  const result = scenario.run();
  Deno.stdout.writeSync(new TextEncoder().encode(formatResult(options, result)));
  const { events, verified } = scenario.effort;
  const { rss, heapUsed } = Deno.memoryUsage();
  console.error(
    `wall time ${((performance.now() - began) / 1000).toFixed(1)} s, ${events} events, ` +
      `${verified} signatures checked, rss ${mib(rss)}, heap ${mib(heapUsed)}`,
  );
  return result.findings.broken.length === 0 ? 0 : 1;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

if (import.meta.main) Deno.exit(main(Deno.args));
