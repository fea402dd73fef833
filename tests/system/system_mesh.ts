import { createHash } from "node:crypto";
import { join } from "node:path";
import type { PeerStatus, StatusReport } from "../../core/control/types.ts";
import type { NodeId } from "../../core/identity/mod.ts";
import {
  allEnded,
  commandLine,
  type CommandResult,
  type Daemon,
  fromSource,
  isRunning,
  kill9,
  type Lab,
  run,
  runCli,
  startDaemon,
} from "../lab/mod.ts";
import type { ServiceInfo } from "./fixtures/service.ts";
import { Talk } from "./talk.ts";

/** A file fetched by curl. */
export interface Fetched {
  /** curl's exit code; 0 is success. */
  readonly code: number;
  readonly stderr: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly ms: number;
}

/**
 * The daemons of one test, by name. In a lab the node of that name is where everything of it runs; without one all run on this
 * machine's loopback. Disposing ends everything in order and fails if a daemon ends badly.
 */
export class SystemMesh implements AsyncDisposable {
  readonly dir: string;
  readonly #net: Lab | undefined;
  readonly #daemons = new Map<string, Daemon>();
  readonly #ids = new Map<string, NodeId>();
  readonly #programs: Talk[] = [];
  readonly #background: number[] = [];

  constructor(dir: string, net?: Lab) {
    this.dir = dir;
    this.#net = net;
  }

  dataDir(name: string): string {
    return join(this.dir, name);
  }

  /** Starts a daemon in the foreground, again in its old data directory if there is one. */
  async start(name: string, ...flags: string[]): Promise<Daemon> {
    const daemon = await startDaemon({
      args: ["--log-level", "debug", ...flags],
      dataDir: this.dataDir(name),
      ...this.#place(name),
    });
    this.#daemons.set(name, daemon);
    this.#ids.set(name, (await daemon.status()).self.id);
    return daemon;
  }

  /** Starts a daemon as its user would, with `pulse start`: its pid. It is killed with the mesh if it has not ended. */
  async background(name: string, ...flags: string[]): Promise<number> {
    const { pid } = JSON.parse(await this.ok(name, "start", "--json", ...flags));
    this.#background.push(pid);
    return pid;
  }

  /** What a node's status says, of one started in the background too. */
  async status(name: string): Promise<StatusReport> {
    return JSON.parse(await this.ok(name, "status", "--json"));
  }

  /** The daemon last started under this name. */
  node(name: string): Daemon {
    const daemon = this.#daemons.get(name);
    if (daemon === undefined) throw new Error(`${name} has not been started`);
    return daemon;
  }

  id(name: string): NodeId {
    const id = this.#ids.get(name);
    if (id === undefined) throw new Error(`${name} has not been started`);
    return id;
  }

  /** Runs a command of pulse to its end, where the node runs. */
  async pulse(name: string, ...args: string[]): Promise<CommandResult> {
    return await runCli({ args, dataDir: this.dataDir(name), ...this.#place(name) });
  }

  /** Like `pulse()`, for what must succeed: what it printed. */
  async ok(name: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.pulse(name, ...args);
    if (code !== 0) {
      throw new Error(`pulse ${args.join(" ")} at ${name}: code ${code}\n${stderr}${stdout}`);
    }
    return stdout;
  }

  /** An invite made at a CA: the code. */
  async invite(ca: string, ...flags: string[]): Promise<string> {
    return (await this.ok(ca, "invite", ...flags)).trim();
  }

  /** Starts a command of pulse that is talked to. */
  talk(name: string, ...args: string[]): Talk {
    return this.program(commandLine({ args, dataDir: this.dataDir(name), ...this.#place(name) }));
  }

  /** Starts any program that is talked to; it ends with the mesh. */
  program(argv: readonly string[]): Talk {
    const talk = new Talk(argv);
    this.#programs.push(talk);
    return talk;
  }

  /** Serves what `fixtures/service.ts` describes, on a node's loopback or `::`. */
  async service(name: string, bytes: number, host = "127.0.0.1"): Promise<ServiceInfo> {
    return JSON.parse(await this.fixture(name, "service.ts", String(bytes), host).line());
  }

  /** Starts a program of `fixtures/`, by its path from there, where the node runs. */
  fixture(name: string, script: string, ...args: string[]): Talk {
    const file = join(import.meta.dirname!, "fixtures", script);
    const command = [...fromSource.slice(0, -1), file];
    return this.program(commandLine({ args, command, ...this.#place(name) }));
  }

  /** Fetches a URL with curl, where the node runs. */
  async curl(name: string, ...args: string[]): Promise<Fetched> {
    const file = join(this.dir, `fetched-${crypto.randomUUID()}`);
    const began = performance.now();
    const { code, stderr } = await run(
      commandLine({
        command: ["curl"],
        args: ["--silent", "--show-error", "--fail", "--output", file, ...args],
        ...this.#place(name),
      }),
      // A proxy named in the environment must not come in between.
      { timeoutMs: 60_000, env: { no_proxy: "", NO_PROXY: "", http_proxy: "" } },
    );
    const ms = performance.now() - began;
    const content = await Deno.readFile(file).catch((error: unknown) => {
      if (error instanceof Deno.errors.NotFound) return new Uint8Array(0);
      throw error;
    });
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { code, stderr: stderr.trim(), bytes: content.length, sha256, ms };
  }

  /** What one node's status says of another; undefined while it says nothing. */
  async peer(of: string, other: string): Promise<PeerStatus | undefined> {
    const { peers } = await this.node(of).status();
    return peers.find((peer) => peer.id === this.id(other));
  }

  /** Waits until one node has a direct link of this kind to another; any QUIC counts as `quic`. */
  async linked(
    of: string,
    other: string,
    kind: "quic" | "websocket",
    timeoutMs = 30_000,
  ): Promise<PeerStatus> {
    return await this.node(of).eventually(`${of} is linked to ${other} over ${kind}`, async () => {
      const peer = await this.peer(of, other);
      return peer?.link.replace("direct_", "") === kind ? peer : undefined;
    }, timeoutMs);
  }

  /** Where a node listens, on loopback. */
  async address(name: string): Promise<string> {
    const { listen } = (await this.node(name).status()).self;
    const port = (listen.quic ?? listen.websocket)?.split(":").at(-1);
    return `127.0.0.1:${port}`;
  }

  /** Where a node's SOCKS listener is, when it was started with port 0. */
  socksPort(name: string): number {
    const port = /SOCKS is listening","listen":"[^"]*:(\d+)"/.exec(this.node(name).logs())?.[1];
    if (port === undefined) throw new Error(`${name} has not said where SOCKS listens`);
    return Number(port);
  }

  /** Waits until so many more bytes have reached a node over its links. */
  async received(name: string, bytes: number): Promise<void> {
    const total = async () => {
      const { peers } = await this.node(name).status();
      return peers.reduce((sum, peer) => sum + peer.bytesIn, 0);
    };
    const before = await total();
    await this.node(name).eventually(
      `${bytes} bytes reach ${name}`,
      async () => await total() >= before + bytes,
    );
  }

  /** Waits until the best path between two nodes runs over exactly these. */
  async path(...names: string[]): Promise<PeerStatus> {
    const [from = "", to = ""] = [names[0], names.at(-1)];
    const wanted = names.map((name) => this.id(name)).join();
    return await this.node(from).eventually(`the path ${names.join(">")}`, async () => {
      const peer = await this.peer(from, to);
      return peer?.path.join() === wanted ? peer : undefined;
    });
  }

  /** The last lines each daemon has logged. */
  logs(): string {
    return [...this.#daemons].map(([name, daemon]) =>
      `--- ${name}\n${daemon.logs().trimEnd().split("\n").slice(-40).join("\n")}`
    ).join("\n");
  }

  async #killBackground(): Promise<void> {
    const running = this.#background.filter(isRunning);
    for (const pid of running) kill9(pid);
    await allEnded(running);
  }

  #place(name: string): { netns?: string } {
    return this.#net === undefined ? {} : { netns: this.#net.namespace(name) };
  }

  /** Ends everything at once. */
  async kill9(): Promise<void> {
    for (const program of this.#programs) await program[Symbol.asyncDispose]();
    await this.#killBackground();
    for (const daemon of this.#daemons.values()) await daemon.kill9();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) await program[Symbol.asyncDispose]();
    await this.#killBackground();
    const ends = await Promise.allSettled(
      [...this.#daemons.values()].map((daemon) => daemon[Symbol.asyncDispose]()),
    );
    const bad = ends.find((end) => end.status === "rejected");
    if (bad !== undefined) throw bad.reason;
  }
}

/** Whatever a test waits for, it does not wait longer. */
const testLimitMs = 120_000;

/**
 * Runs a test with a mesh in a directory of its own; when it fails, the daemons' last log lines are part of the failure.
 * @param limitMs how long it may take; two minutes
 */
export async function withMesh(
  test: (mesh: SystemMesh) => Promise<void>,
  net?: Lab,
  limitMs: number = testLimitMs,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-sys-" });
  try {
    await using mesh = new SystemMesh(dir, net);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`not over after ${limitMs / 1000} s`)),
      limitMs,
    );
    const running = test(mesh);
    try {
      await Promise.race([running, late.promise]);
    } catch (error) {
      const text = error instanceof Error ? error.stack ?? error.message : String(error);
      const logs = mesh.logs();
      // What the test still waits for ends with what it waits for.
      await mesh.kill9();
      await running.catch(() => {/* told above */});
      throw new Error(`${text}\n${logs}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
