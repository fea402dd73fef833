import type { PeerStatus } from "../../core/control/types.ts";
import { eventually } from "../lab/wait.ts";
import { DemoMesh } from "./demo_mesh.ts";
import { findClient, type SocksClient } from "./fetch_file.ts";
import { type FileService, serveRandomFile } from "./file_service.ts";
import type { Screen } from "./screen.ts";
import { socksRoundTrip } from "./socks_fetch.ts";

const fileSize = 50_000_000;
const roundTrips = 51;
/** A dead link must be noticed within 10 s; QUIC is tried again 10 s after a fall-back, then 20 s later. */
const limits = { path: 15_000, fetch: 20_000, fallBack: 20_000, upgrade: 20_000 };

/** What every step works with. */
interface Stage {
  readonly screen: Screen;
  readonly mesh: DemoMesh;
  readonly client: SocksClient;
  readonly service: FileService;
  /** Aborted when the user has had enough. */
  readonly signal: AbortSignal;
}

/** Everything but the summary. @param directory empty; the caller removes it */
export async function runDemo(
  screen: Screen,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const client = await findClient(directory);
  await using service = serveRandomFile(fileSize);
  {
    await using mesh = new DemoMesh(directory);
    const stage: Stage = { screen, mesh, client, service, signal };
    for (
      const step of [
        makeNetwork,
        joinByInvite,
        showMesh,
        fetchByQuic,
        loseUdp,
        fetchWithoutUdp,
        regainUdp,
      ]
    ) {
      signal.throwIfAborted();
      try {
        await step(stage);
      } catch (error) {
        screen.say(mesh.nodes.logs());
        throw error;
      }
    }
    screen.step("The nodes are stopped");
    screen.progress("stopping");
  }
  screen.prove("Every process ended when it was asked to", true);
}

async function makeNetwork({ screen, mesh }: Stage): Promise<void> {
  screen.step("One node makes a network: it is the CA, and a relay for the others");
  screen.progress("starting the relay");
  await mesh.startRelay();
  const { self, certificate } = await mesh.nodes.status("relay");
  screen.say(`relay  ${self.id}\nmesh address  ${self.meshAddresses.join("  ")}`);
  screen.prove("The relay holds a certificate of its own CA", certificate?.status === "valid");
}

async function joinByInvite({ screen, mesh, service }: Stage): Promise<void> {
  screen.step("Two nodes join, each with an invite code");
  const code = await mesh.invite("client");
  screen.say(`pulse invite            ${code.slice(0, 28)}...\npulse join pls_...`);
  const start = performance.now();
  const joined = [
    await mesh.join("client", code),
    await mesh.join("server", await mesh.invite("server")),
  ];
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const refusal = joined.find((answer) => !answer.ok)?.text ?? `both within ${seconds} s`;
  screen.prove("A node joins with an invite code", joined.every((answer) => answer.ok), refusal);

  const again = await mesh.join("thief", code);
  const reason = again.text.split("\n")[0] ?? "";
  screen.prove("The same code does not work twice", !again.ok, reason.slice(0, 60));

  screen.progress("starting the two nodes");
  await Promise.all([
    mesh.startNode("client", "--socks", "--socks-listen", "127.0.0.1:0"),
    mesh.startNode("server", "--allow-local", `${service.port}`),
  ]);
}

async function showMesh({ screen, mesh, signal }: Stage): Promise<void> {
  screen.step("The mesh, as the client sees it");
  screen.progress("waiting until the client has found a path to the server");
  const server = await eventually(async () => {
    const peer = await mesh.nodes.peer("client", "server");
    return peer?.hops === 2 && peer.latencyMs !== null && peer;
  }, { what: "a measured path to the server", timeoutMs: limits.path, signal });
  screen.say((await mesh.nodes.ok("client", "status")).trimEnd());
  screen.say(`\n${mesh.legend()}`);
  screen.prove(
    "Client and server have no link to each other",
    server.link === "-",
    server.reason ?? "",
  );
  screen.prove(
    "The client has found the path through the relay",
    server.path.length === 3,
    await mesh.pathText(),
  );
}

async function fetchByQuic(stage: Stage): Promise<void> {
  stage.screen.step("50 MB over HTTP from the server's side to the client, through the relay");
  await fetchFile(stage, "udp");
}

async function fetchWithoutUdp(stage: Stage): Promise<void> {
  stage.screen.step("The same file again, over WebSocket");
  await fetchFile(stage, "tcp");
}

/** @param carrier what the file must cross the client's cable as */
async function fetchFile(stage: Stage, carrier: "udp" | "tcp"): Promise<void> {
  const { screen, mesh, client, service, signal } = stage;
  const socksPort = mesh.nodes.socksPort("client");
  const url = new URL(`http://${mesh.nodes.id("server")}.pulse:${service.port}/file`);
  screen.say(`${client.name} --socks5-hostname 127.0.0.1:${socksPort} ${url}`);
  const before = mesh.cable.bytes[carrier].fromTarget;
  const fetched = await client.fetch(
    socksPort,
    url,
    (bytes) => screen.progress(`${megabytes(bytes)} of ${megabytes(service.size)} MB`),
    AbortSignal.any([signal, AbortSignal.timeout(limits.fetch)]),
  );
  const crossed = mesh.cable.bytes[carrier].fromTarget - before;
  const how = carrier === "udp" ? "QUIC" : "WebSocket";
  const rate = fetched.bytes * 8 / fetched.seconds / 1e9;
  screen.prove(
    `The file arrives whole over ${how}`,
    fetched.bytes === service.size && fetched.sha256 === service.sha256,
    `SHA-256 ${fetched.sha256.slice(0, 16)}...`,
  );
  screen.prove(
    `It crossed the client's cable as ${carrier.toUpperCase()}`,
    crossed >= service.size,
    `${megabytes(crossed)} MB`,
  );
  const roundTrip = await socksRoundTrip(socksPort, url, roundTrips, signal);
  screen.say(
    [
      `path        ${await mesh.pathText()}`,
      `throughput  ${rate.toFixed(2)} Gbit/s (${
        fetched.seconds.toFixed(2)
      } s); the cable is a program too, and the slowest part`,
      `round trip  ${
        roundTrip.toFixed(2)
      } ms (median of ${roundTrips} HTTP requests on one connection)`,
    ].join("\n"),
  );
}

async function loseUdp({ screen, mesh, signal }: Stage): Promise<void> {
  screen.step("UDP is blocked between the client and the relay");
  mesh.cable.blockUdp = true;
  const seconds = await untilLink(
    { screen, mesh, signal },
    (peer) => peer.link === "websocket",
    limits.fallBack,
  );
  screen.prove("The link falls back to WebSocket by itself", true, `after ${seconds} s`);
}

async function regainUdp({ screen, mesh, signal }: Stage): Promise<void> {
  screen.step("UDP works again");
  mesh.cable.blockUdp = false;
  const seconds = await untilLink(
    { screen, mesh, signal },
    (peer) => peer.link !== "websocket" && peer.link !== "-",
    limits.upgrade,
  );
  screen.prove("The link returns to QUIC by itself", true, `after ${seconds} s`);
}

/** Watches the client's link to the relay; gives the seconds it took. */
async function untilLink(
  { screen, mesh, signal }: Pick<Stage, "screen" | "mesh" | "signal">,
  wanted: (peer: PeerStatus) => boolean,
  timeoutMs: number,
): Promise<string> {
  const start = performance.now();
  const elapsed = () => ((performance.now() - start) / 1000).toFixed(1);
  await eventually(async () => {
    const peer = await mesh.nodes.peer("client", "relay");
    screen.progress(`link to the relay: ${peer?.link ?? "-"}, ${elapsed()} s`);
    return peer !== undefined && wanted(peer);
  }, { what: "the link to the relay changes", timeoutMs, intervalMs: 250, signal });
  return elapsed();
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
