import { setTimeout as sleep } from "node:timers/promises";
import { socksFetch } from "../demo/socks_fetch.ts";
import { Daemon } from "../lab/daemon.ts";
import { eventually } from "../lab/wait.ts";
import { freePorts } from "../security/fixtures/free_ports.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";
import { JsonChild } from "./json_child.ts";
import { joinFlags, startHub } from "./loopback_mesh.ts";
import { type ProcessUsage, treeUsage } from "./process_usage.ts";

const httpPeer = new URL("./peers/http_peer.ts", import.meta.url);
const idleSeconds = 20;

/** A relay-only node with one neighbour and nothing to do. */
async function startIdle(
  measure: (before: ProcessUsage, after: ProcessUsage) => number,
): Promise<RunningBench> {
  await using stack = new AsyncDisposableStack();
  const mesh = await startHub(stack);
  const relay = await mesh.start("relay", ...await joinFlags(mesh), "--relay-only");
  await mesh.path("hub", "relay");
  const owned = stack.move();
  return {
    async round() {
      const before = treeUsage(relay.pid);
      await sleep(idleSeconds * 1000);
      return measure(before, treeUsage(relay.pid));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** From starting `pulse --join CODE --socks` in an empty directory to the first byte from a server in the mesh. */
async function startJoin(): Promise<RunningBench> {
  await using stack = new AsyncDisposableStack();
  const http = stack.use(new JsonChild(httpPeer));
  const port = await http.number({}, "port");
  const mesh = await startHub(stack, "--allow-local", `${port}`);
  const url = new URL(`http://${mesh.id("hub")}.pulse:${port}/1`);
  const owned = stack.move();
  let nodes = 0;
  return {
    async round() {
      const [socksPort = 0] = freePorts(1);
      const socks = ["--socks", "--socks-listen", `127.0.0.1:${socksPort}`];
      const args = [...await joinFlags(mesh), ...socks];
      const start = performance.now();
      await using _daemon = new Daemon({ args, dataDir: mesh.dataDir(`node${++nodes}`) });
      await eventually((signal) => socksFetch(socksPort, url, () => {}, signal), {
        what: "the first byte",
        intervalMs: 5,
      });
      return (performance.now() - start) / 1000;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a node costs that has nothing to do, and how soon a new one is of use. */
export const daemonBenches: readonly BenchGroup[] = [
  {
    title: "A new node",
    rounds: 5,
    benches: [{
      name: "join",
      title: "from start through join to the first byte",
      unit: "s",
      target: 1.5,
      start: startJoin,
    }],
  },
  {
    title: `A relay-only node with one neighbour, idle for ${idleSeconds} s`,
    rounds: 2,
    benches: [
      {
        name: "idle-memory",
        title: "resident memory",
        unit: "MB",
        target: 90,
        start: () => startIdle((_before, after) => after.residentMb),
      },
      {
        name: "idle-cpu",
        title: "of one core",
        unit: "%",
        target: 1,
        start: () =>
          startIdle((before, after) => 100 * (after.cpuSeconds - before.cpuSeconds) / idleSeconds),
      },
    ],
  },
];
