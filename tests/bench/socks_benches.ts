import { socksRoundTrip } from "../demo/socks_fetch.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";
import { curlThroughput } from "./curl.ts";
import { JsonChild } from "./json_child.ts";
import { joinFlags, startHub } from "./loopback_mesh.ts";
import { cpuPerGb } from "./process_usage.ts";

const httpPeer = new URL("./peers/http_peer.ts", import.meta.url);
const fileSize = 1 << 29;
const roundTrips = 301;

/** What is measured against a server that is reached at `origin`, through the SOCKS proxy if there is one. */
type Measure = (
  origin: string,
  socksPort: number | undefined,
  pids: readonly number[],
) => Promise<number>;

const download: Measure = (origin, socksPort) =>
  curlThroughput(`${origin}/${fileSize}`, fileSize, socksPort);

/** The processor time that the server and the nodes spend; curl's is not in it. */
const processorTime: Measure = (origin, socksPort, pids) => {
  const bytes = fileSize / 4;
  return cpuPerGb(pids, bytes, () => curlThroughput(`${origin}/${bytes}`, bytes, socksPort));
};

const smallRequests: Measure = (origin, socksPort) =>
  socksRoundTrip(socksPort ?? NaN, new URL(`${origin}/0`), roundTrips, AbortSignal.timeout(60_000));

/** A server, the client's way to it, and nothing else running. */
async function startSocks(
  way: "no tunnel" | "direct" | "relay",
  measure: Measure,
): Promise<RunningBench> {
  await using stack = new AsyncDisposableStack();
  const http = stack.use(new JsonChild(httpPeer));
  const port = await http.number({}, "port");
  let origin = `http://127.0.0.1:${port}`;
  const pids = [http.pid];
  let socksPort: number | undefined;
  if (way !== "no tunnel") {
    const allow = ["--allow-local", `${port}`];
    const server = way === "direct" ? "hub" : "server";
    const mesh = await startHub(stack, ...(way === "direct" ? allow : []));
    if (way === "relay") await mesh.start("server", ...await joinFlags(mesh), ...allow);
    const socks = ["--socks", "--socks-listen", "127.0.0.1:0"];
    await mesh.start("client", ...await joinFlags(mesh), ...socks);
    await mesh.path("client", ...(way === "relay" ? ["hub"] : []), server);
    const nodes = way === "relay" ? ["hub", "server", "client"] : ["hub", "client"];
    pids.push(...nodes.map((name) => mesh.node(name).pid));
    socksPort = mesh.socksPort("client");
    origin = `http://${mesh.id(server)}.pulse:${port}`;
  }
  const owned = stack.move();
  return {
    round: () => measure(origin, socksPort, pids),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** HTTP through the SOCKS plugin of real daemons. curl and the HTTP server share the cores with them. */
export const socksBenches: readonly BenchGroup[] = [
  {
    title: "HTTP download with curl",
    rounds: 5,
    benches: [
      {
        name: "curl",
        title: "curl, no tunnel",
        unit: "Gbit/s",
        start: () => startSocks("no tunnel", download),
      },
      {
        name: "socks",
        title: "through SOCKS, direct link",
        unit: "Gbit/s",
        target: 3,
        against: { name: "curl" },
        start: () => startSocks("direct", download),
      },
      {
        name: "socks-relay",
        title: "through SOCKS and a relay",
        unit: "Gbit/s",
        target: 1.5,
        against: { name: "curl" },
        start: () => startSocks("relay", download),
      },
    ],
  },
  {
    title: "Processor time of the server and all nodes for each GB downloaded with curl",
    rounds: 5,
    benches: [
      {
        name: "curl-cpu",
        title: "no tunnel",
        unit: "s/GB",
        start: () => startSocks("no tunnel", processorTime),
      },
      {
        name: "socks-cpu",
        title: "through SOCKS, direct link",
        unit: "s/GB",
        against: { name: "curl-cpu" },
        start: () => startSocks("direct", processorTime),
      },
      {
        name: "socks-relay-cpu",
        title: "through SOCKS and a relay",
        unit: "s/GB",
        against: { name: "curl-cpu" },
        start: () => startSocks("relay", processorTime),
      },
    ],
  },
  {
    title: "Small HTTP requests on one connection, p50",
    rounds: 5,
    benches: [
      {
        name: "socks-request",
        title: "through SOCKS, direct link",
        unit: "ms",
        start: () => startSocks("direct", smallRequests),
      },
      {
        name: "socks-relay-request",
        title: "through SOCKS and a relay",
        unit: "ms",
        against: { name: "socks-request" },
        start: () => startSocks("relay", smallRequests),
      },
    ],
  },
];
