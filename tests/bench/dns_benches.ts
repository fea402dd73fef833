import { run } from "../lab/command.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";
import { JsonChild } from "./json_child.ts";
import { nodeCount } from "./peers/dns_server.ts";
import { treeUsage } from "./process_usage.ts";

const server = new URL("./peers/dns_server.ts", import.meta.url);
const seconds = 3;

/** What programs ask: mostly addresses, now and then something that is not there. */
function questions(): string {
  const lines: string[] = [];
  for (let n = 0; n < nodeCount; n++) {
    lines.push(`n${n}.pulse A`, `n${n}.pulse AAAA`, `http.n${n}.pulse A`);
    if (n % 10 === 0) lines.push(`_http._tcp.n${n}.pulse SRV`, `x${n}.pulse A`);
    if (n % 10 === 5) lines.push(`${n & 255}.${n >> 8}.100.10.in-addr.arpa PTR`);
  }
  return `${lines.join("\n")}\n`;
}

/** Answers for each second of processor time that the server's process used: dnsperf shares the machine with it. */
async function startDnsBench(mode: "udp" | "tcp"): Promise<RunningBench> {
  await using stack = new AsyncDisposableStack();
  const child = stack.use(new JsonChild(server));
  const port = await child.number({}, "port");
  const file = await Deno.makeTempFile({ prefix: "pulse-bench-" });
  stack.defer(() => Deno.remove(file));
  await Deno.writeTextFile(file, questions());
  const owned = stack.move();
  return {
    async round() {
      const before = treeUsage(child.pid).cpuSeconds;
      const argv = ["dnsperf", "-s", "127.0.0.1", "-p", `${port}`, "-m", mode, "-d", file];
      const { stdout, stderr } = await run([...argv, "-l", `${seconds}`, "-c", "4", "-e"]);
      const used = treeUsage(child.pid).cpuSeconds - before;
      const completed = Number(/Queries completed:\s+(\d+)/.exec(stdout)?.[1]);
      const lost = Number(/Queries lost:\s+(\d+)/.exec(stdout)?.[1]);
      if (!(completed > 0) || lost > completed / 1000) {
        throw new Error(`dnsperf: ${completed} answers, ${lost} lost\n${stderr}`);
      }
      return completed / used;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The DNS plugin under dnsperf. */
export const dnsBenches: readonly BenchGroup[] = [
  {
    title: `DNS answers per second of one core, a mesh of ${nodeCount} nodes`,
    rounds: 3,
    benches: [
      {
        name: "dns",
        title: "over UDP",
        unit: "q/s",
        target: 20_000,
        start: () => startDnsBench("udp"),
      },
      {
        name: "dns-tcp",
        title: "over TCP",
        unit: "q/s",
        against: { name: "dns" },
        start: () => startDnsBench("tcp"),
      },
    ],
  },
];
