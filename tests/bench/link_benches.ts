import type { Credentials } from "../../core/identity/mod.ts";
import { createTestCa } from "../../core/identity/testing.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";
import { JsonChild } from "./json_child.ts";
import { cpuPerGb } from "./process_usage.ts";
import { gigabitsPerSecond } from "./statistics.ts";

const peer = new URL("./peers/stream_peer.ts", import.meta.url);
const chunkSize = 64 * 1024;

/** What the dialler reaches, and as whom. */
interface Peer {
  readonly as: ReturnType<typeof texts>;
  readonly port: number;
  readonly peer: string;
}

type Measure = (dialler: JsonChild, peer: Peer, pids: readonly number[]) => Promise<number>;

/** Two processes with a link between them, or with a relay in a third process between them. */
async function startLink(
  carrier: string,
  measure: Measure,
  through: "relay" | "nothing" = "nothing",
): Promise<RunningBench> {
  await using stack = new AsyncDisposableStack();
  const ca = await createTestCa();
  const [a, b] = [await ca.issue(), await ca.issue()];
  const pids: number[] = [];
  let relay: number | undefined;
  if (through === "relay") {
    const child = stack.use(new JsonChild(peer, [carrier]));
    pids.push(child.pid);
    relay = await child.number({ do: "listen", as: texts(await ca.issue()) }, "port");
  }
  const acceptor = stack.use(new JsonChild(peer, [carrier]));
  const dialler = stack.use(new JsonChild(peer, [carrier]));
  const port = await acceptor.number({ do: "listen", as: texts(b), relay }, "port");
  const target = { as: texts(a), port: relay ?? port, peer: b.key.id };
  await dialler.call({ do: "dial", ...target });
  pids.push(acceptor.pid, dialler.pid);
  const owned = stack.move();
  return {
    round: () => measure(dialler, target, pids),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function texts({ key, certificate, anchor }: Credentials) {
  return { key: key.privateKeyPem, certificate: certificate.pem, anchor: anchor.pem };
}

const streamBytes = 1 << 29;

/** One stream with 512 MB in chunks of 64 KiB, until the other end has read the last byte. */
const throughput: Measure = async (dialler) => {
  const bytes = streamBytes;
  const seconds = await dialler.number({ do: "send", bytes, chunk: chunkSize }, "seconds");
  return gigabitsPerSecond(bytes, seconds);
};

/** The same, by the processor time that all processes spend on it: other work on the machine hardly changes that. */
const processorTime: Measure = async (dialler, _peer, pids) => {
  const bytes = streamBytes / 4;
  const send = () => dialler.call({ do: "send", bytes, chunk: chunkSize });
  return await cpuPerGb(pids, bytes, send);
};

/** The median of 3000 messages of 1 KB there and back on an open stream. */
const roundTrip: Measure = (dialler) =>
  dialler.number({ do: "echo", size: 1024, count: 3000 }, "milliseconds");

/** The median of 100 streams that carry one byte each way, one after the other. */
const opening: Measure = (dialler) => dialler.number({ do: "open", count: 100 }, "milliseconds");

/** The median of 30 links made one after the other, each closed before the next. */
const handshake: Measure = (dialler, peer) =>
  dialler.number({ do: "handshake", ...peer, count: 30 }, "milliseconds");

/** Streams between two processes: what each carrier gives, held against Deno's bare QUIC in the same run. */
export const linkBenches: readonly BenchGroup[] = [
  {
    title: "One stream between two processes",
    rounds: 5,
    benches: [
      {
        name: "raw-quic",
        title: "Deno's QuicConn, nothing on top",
        unit: "Gbit/s",
        start: () => startLink("raw-quic", throughput),
      },
      {
        name: "quic",
        title: "QUIC session",
        unit: "Gbit/s",
        target: 4,
        against: { name: "raw-quic", target: 0.7 },
        start: () => startLink("quic", throughput),
      },
      {
        name: "websocket",
        title: "WebSocket session",
        unit: "Gbit/s",
        target: 2,
        against: { name: "raw-quic" },
        start: () => startLink("websocket", throughput),
      },
      {
        name: "quic-tls",
        title: "end-to-end TLS in a stream of a QUIC session",
        unit: "Gbit/s",
        against: { name: "raw-quic" },
        start: () => startLink("quic-tls", throughput),
      },
      {
        name: "mesh",
        title: "stream between two nodes",
        unit: "Gbit/s",
        target: 4,
        against: { name: "raw-quic", target: 0.7 },
        start: () => startLink("mesh", throughput),
      },
      {
        name: "mesh-relay",
        title: "stream through a relay, end-to-end encrypted",
        unit: "Gbit/s",
        target: 1.5,
        against: { name: "raw-quic" },
        start: () => startLink("mesh", throughput, "relay"),
      },
    ],
  },
  {
    title: "Processor time of all processes for each GB of one stream",
    rounds: 5,
    benches: [
      {
        name: "raw-quic-cpu",
        title: "Deno's QuicConn, nothing on top",
        unit: "s/GB",
        start: () => startLink("raw-quic", processorTime),
      },
      {
        name: "quic-cpu",
        title: "QUIC session",
        unit: "s/GB",
        against: { name: "raw-quic-cpu" },
        start: () => startLink("quic", processorTime),
      },
      {
        name: "websocket-cpu",
        title: "WebSocket session",
        unit: "s/GB",
        against: { name: "raw-quic-cpu" },
        start: () => startLink("websocket", processorTime),
      },
      {
        name: "quic-tls-cpu",
        title: "end-to-end TLS in a stream of a QUIC session",
        unit: "s/GB",
        against: { name: "raw-quic-cpu" },
        start: () => startLink("quic-tls", processorTime),
      },
      {
        name: "mesh-cpu",
        title: "stream between two nodes",
        unit: "s/GB",
        against: { name: "raw-quic-cpu" },
        start: () => startLink("mesh", processorTime),
      },
      {
        name: "mesh-relay-cpu",
        title: "stream through a relay, end-to-end encrypted",
        unit: "s/GB",
        against: { name: "raw-quic-cpu" },
        start: () => startLink("mesh", processorTime, "relay"),
      },
    ],
  },
  {
    title: "1 KB there and back on an open stream, p50",
    rounds: 5,
    benches: [
      {
        name: "raw-quic-echo",
        title: "Deno's QuicConn, nothing on top",
        unit: "ms",
        start: () => startLink("raw-quic", roundTrip),
      },
      {
        name: "quic-echo",
        title: "QUIC session",
        unit: "ms",
        target: 0.3,
        against: { name: "raw-quic-echo" },
        start: () => startLink("quic", roundTrip),
      },
      {
        name: "websocket-echo",
        title: "WebSocket session",
        unit: "ms",
        against: { name: "raw-quic-echo" },
        start: () => startLink("websocket", roundTrip),
      },
      {
        name: "mesh-echo",
        title: "stream between two nodes",
        unit: "ms",
        target: 0.3,
        against: { name: "raw-quic-echo" },
        start: () => startLink("mesh", roundTrip),
      },
      {
        name: "mesh-relay-echo",
        title: "stream through a relay, end-to-end encrypted",
        unit: "ms",
        against: { name: "raw-quic-echo" },
        start: () => startLink("mesh", roundTrip, "relay"),
      },
    ],
  },
  {
    title: "A new link, until both ends have proven who they are, p50",
    rounds: 5,
    benches: [
      {
        name: "raw-quic-handshake",
        title: "Deno's QuicConn, only the server proves who it is",
        unit: "ms",
        start: () => startLink("raw-quic", handshake),
      },
      {
        name: "quic-handshake",
        title: "QUIC session",
        unit: "ms",
        against: { name: "raw-quic-handshake" },
        start: () => startLink("quic", handshake),
      },
      {
        name: "websocket-handshake",
        title: "WebSocket session",
        unit: "ms",
        against: { name: "raw-quic-handshake" },
        start: () => startLink("websocket", handshake),
      },
    ],
  },
  {
    title: "A new stream with one byte there and back, p50",
    rounds: 5,
    benches: [
      {
        name: "raw-quic-open",
        title: "Deno's QuicConn, nothing on top",
        unit: "ms",
        start: () => startLink("raw-quic", opening),
      },
      {
        name: "mesh-open",
        title: "stream between two nodes",
        unit: "ms",
        against: { name: "raw-quic-open" },
        start: () => startLink("mesh", opening),
      },
      {
        name: "mesh-relay-open",
        title: "stream through a relay, with the end-to-end handshake",
        unit: "ms",
        against: { name: "raw-quic-open" },
        start: () => startLink("mesh", opening, "relay"),
      },
    ],
  },
];
