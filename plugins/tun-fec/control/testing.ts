import type { NodeId } from "../../../core/identity/mod.ts";
import { testCertificate } from "../../../core/plugin/testing.ts";
import type { HostServices, Json } from "../../../core/plugin/types.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { memoryStreamPair } from "../../../core/streams/memory_stream.ts";
import { PathStream } from "../../../core/streams/mesh_stream.ts";
import type { DirectionKey } from "../keys/key_agreement.ts";
import type { LoopPort } from "../loop/loop_port.ts";
import type { LoopCommand, LoopTables, PeerTable } from "../loop/types.ts";
import type { MeshSnapshot } from "../mesh/snapshot.ts";
import { meshLink, meshNode, meshPath, meshSnapshot, testId } from "../mesh/testing.ts";
import { DataPlane, type DataPlaneOptions } from "./data_plane.ts";

/** A loop that carries nothing, and remembers what it was told. */
export class FakeLoop implements LoopPort {
  readonly commands: LoopCommand[] = [];
  tables: LoopTables | undefined;
  /** By index of the peer: what is sealed with, and what is received under by its name. */
  readonly seal = new Map<number, DirectionKey>();
  readonly receive = new Map<number, DirectionKey>();

  tell(...commands: readonly LoopCommand[]): void {
    for (const command of commands) {
      if (command.do !== "stats") this.commands.push(command);
      if (command.do === "tables") this.tables = command.tables;
      else if (command.do === "seal") this.seal.set(command.peer, command.key);
      else if (command.do === "silence") this.seal.delete(command.peer);
      else if (command.do === "receive") this.receive.set(command.key.receiver, command.key);
      else if (command.do === "forget") {
        for (const [receiver, { epoch }] of this.receive) {
          if (epoch === command.epoch) this.receive.delete(receiver);
        }
      }
    }
  }

  peer(letter: string): PeerTable | undefined {
    return this.tables?.peers.find(({ id }) => id === testId(letter));
  }

  /** The key sealed with for a peer. */
  sealFor(letter: string): DirectionKey | undefined {
    return this.seal.get(this.peer(letter)?.index ?? 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

interface FakeNode {
  readonly plane: DataPlane;
  readonly loop: FakeLoop;
  readonly said: string[];
  carriers: Json;
  mesh: MeshSnapshot;
  readonly streams: ByteStream[];
}

/** Data planes without packets, on a mesh that is what the test says. */
export class FakeMesh implements Disposable {
  readonly nodes = new Map<NodeId, FakeNode>();
  /** Letters of two nodes that no packet may pass between, as a relay sees it. */
  denied = "";
  #version = 1;

  /** @param links pairs of letters, such as `ab`; the shortest ways over them are the paths */
  constructor(readonly letters: string, public links: readonly string[]) {}

  start(letter: string, more: Partial<DataPlaneOptions> = {}): FakeNode {
    const loop = new FakeLoop();
    const said: string[] = [];
    const node = { loop, said, carriers: null, mesh: this.#snapshot(letter), streams: [] } as
      & Omit<FakeNode, "plane">
      & { plane?: DataPlane };
    node.plane = new DataPlane({
      host: { call: this.#call(letter), openStream: this.#openStream(letter) },
      loop,
      port: 0,
      fec: false,
      meshChanged: () => {},
      random: Math.random,
      now: () => performance.now(),
      log: (_level, message) => void said.push(message),
      ...more,
    });
    this.nodes.set(testId(letter), node as FakeNode);
    return node as FakeNode;
  }

  /** Others links, or another thing that snapshots tell. */
  change(links: readonly string[], more: Partial<MeshSnapshot> = {}): void {
    this.links = links;
    this.#version++;
    for (const [id, node] of this.nodes) {
      node.mesh = { ...this.#snapshot(id[0]!), ...more };
      node.plane.meshChanged();
    }
  }

  /** Takes a node away, as a crash does. */
  kill(letter: string): void {
    const node = this.nodes.get(testId(letter))!;
    this.nodes.delete(testId(letter));
    node.plane[Symbol.dispose]();
    for (const stream of node.streams) stream.reset();
  }

  #snapshot(letter: string): MeshSnapshot {
    const near = (of: string) =>
      this.links.filter((link) => link.includes(of)).map((link) => link.replace(of, ""));
    const paths = (to: string) => {
      if (near(letter).includes(to)) return [meshPath(letter + to)];
      return near(letter).filter((relay) => near(relay).includes(to))
        .map((relay) => meshPath(letter + relay + to));
    };
    const others = [...this.letters].filter((other) => other !== letter);
    return meshSnapshot({
      version: this.#version,
      self: testId(letter),
      addresses: meshNode(letter).addresses,
      links: near(letter).map((other) => meshLink(other)),
      nodes: others.map((other) => meshNode(other, { paths: paths(other) })),
    });
  }

  #call(letter: string): HostServices["call"] {
    return (_service, method, argument) => {
      const node = this.nodes.get(testId(letter));
      const asked = argument as { known: number; from: NodeId; to: NodeId };
      switch (method) {
        case "snapshot": {
          const mesh = node?.mesh;
          const fresh = mesh !== undefined && mesh.version !== asked.known;
          return Promise.resolve((fresh ? mesh : null) as unknown as Json);
        }
        case "mayCarry": {
          const pair = [asked.from[0], asked.to[0]].sort().join("");
          return Promise.resolve(pair !== this.denied);
        }
        default:
          if (node !== undefined) node.carriers = argument;
          return Promise.resolve(null);
      }
    };
  }

  #openStream(letter: string): HostServices["openStream"] {
    return ({ node: to, protocol }) => {
      const [near, far] = memoryStreamPair();
      const node = this.nodes.get(to);
      const serve = node?.plane.streams[protocol];
      this.nodes.get(testId(letter))?.streams.push(near);
      if (to !== testId(letter)) {
        if (serve === undefined) return Promise.reject(new Error(`${to[0]} is not there`));
        node!.streams.push(far);
        void serve(far, testId(letter));
      }
      return Promise.resolve(new PathStream(near, testCertificate, [testId(letter), to]));
    };
  }

  [Symbol.dispose](): void {
    for (const id of [...this.nodes.keys()]) this.kill(id[0]!);
  }
}
