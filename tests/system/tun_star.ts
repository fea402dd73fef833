import { formatHostPort } from "../../core/address/mod.ts";
import type { Lab } from "../lab/mod.ts";
import type { SystemMesh } from "./system_mesh.ts";

const relay = "relay";
const token = "that-all-of-the-star-may-join-with";

/** Seconds until every node had answered every other. */
export interface Convergence {
  /** Since the last of the processes had begun: most of it is their own start, where they have few cores. */
  readonly sinceStart: number;
  /** Since the last of them served its control socket. */
  readonly sinceUp: number;
}

/** Nodes with packet tunnels around one relay, each with a cable of its own to it and to nobody else. */
export class TunStar {
  readonly names: readonly string[];
  readonly #mesh: SystemMesh;
  readonly #net: Lab;
  readonly #doors: ReadonlyMap<string, string>;
  readonly #addresses = new Map<string, string>();

  private constructor(mesh: SystemMesh, net: Lab, doors: ReadonlyMap<string, string>) {
    this.#mesh = mesh;
    this.#net = net;
    this.#doors = doors;
    this.names = [...doors.keys()];
  }

  /** Makes a lab's nodes for so many around a relay, where each finds the relay: for `create()`. */
  static async site(net: Lab, count: number): Promise<ReadonlyMap<string, string>> {
    await net.node(relay);
    const doors = new Map<string, string>();
    for (let n = 1; n <= count; n++) {
      const name = `n${n}`;
      await net.node(name);
      const host = (await net.link(relay, name)).ipv4(relay);
      doors.set(name, formatHostPort({ host, port: 8443 }));
    }
    return doors;
  }

  /** Starts the relay, and has the others join; they are not started. */
  static async create(
    mesh: SystemMesh,
    net: Lab,
    doors: ReadonlyMap<string, string>,
  ): Promise<TunStar> {
    const star = new TunStar(mesh, net, doors);
    await mesh.start(relay, "--ca", "--tun", "--token", token);
    await Promise.all(Array.from(doors, async ([name, door]) => {
      const joined = await mesh.ok(name, "join", door, "--token", token, "--json");
      star.#addresses.set(name, JSON.parse(joined).meshAddresses[0]);
    }));
    return star;
  }

  /** Starts all at once and waits until each has had an answer from every other, through the tunnel. */
  async converge(): Promise<Convergence> {
    const { names } = this;
    const starts = names.map((name) => this.#mesh.start(name, "--tun", this.#doors.get(name)!));
    const began = performance.now();
    const passed = () => (performance.now() - began) / 1_000;
    let up = 0;
    await Promise.all(names.map(async (name, n) => {
      await starts[n];
      up = passed();
      await Promise.all(names.map((other) => this.#untilPinged(name, other)));
    }));
    const all = passed();
    return { sinceStart: all, sinceUp: all - up };
  }

  /** Ends all but the relay. */
  async stop(): Promise<void> {
    await Promise.all(this.names.map((name) => this.#mesh.node(name).stop()));
  }

  /** One process for each pair, not for each ping: ninety of them ask at a time. */
  async #untilPinged(from: string, to: string): Promise<void> {
    const argv = ["ping", "-nq", "-c1", "-i0.2", "-w60", this.#addresses.get(to)!];
    await this.#mesh.node(from).eventually(
      `${from} gets an answer of ${to}`,
      async () => (await this.#net.run(from, argv, { timeoutMs: 70_000 })).code === 0,
      90_000,
    );
  }
}
