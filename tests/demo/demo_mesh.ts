import type { NodeId } from "../../core/identity/mod.ts";
import { Cable } from "../lab/cable.ts";
import { SystemMesh } from "../system/system_mesh.ts";

/** The three nodes by what they do in the demo, and one that has stolen an invite code. */
export type NodeName = "relay" | "client" | "server" | "thief";

/**
 * A relay that is also the CA, and two nodes that know no way but through it. They advertise no address, and neither does
 * the relay, so the client has to use the cable it was given.
 */
export class DemoMesh implements AsyncDisposable {
  readonly nodes: SystemMesh;
  readonly #started: NodeName[] = [];
  #cable: Cable | undefined;

  /** @param directory where the nodes keep their files */
  constructor(directory: string) {
    this.nodes = new SystemMesh(directory);
  }

  /** Makes the network, and the cable between the client and the relay. */
  async startRelay(): Promise<void> {
    await this.#start("relay", "--ca", "--network", "demo");
    const port = Number((await this.nodes.address("relay")).split(":")[1]);
    this.#cable = await Cable.create({ port });
  }

  /** An invite code that works once, for a node that finds the relay where this one does. */
  async invite(name: NodeName): Promise<string> {
    return await this.nodes.invite("relay", "--relay", await this.#entrance(name));
  }

  /** Uses an invite code; says whether it was accepted, and why not. */
  async join(name: NodeName, code: string): Promise<{ ok: boolean; text: string }> {
    const result = await this.nodes.pulse(name, "join", code);
    return { ok: result.code === 0, text: (result.stderr || result.stdout).trim() };
  }

  /** Starts a node that has joined. */
  async startNode(name: NodeName, ...flags: string[]): Promise<void> {
    await this.#start(name, ...flags, await this.#entrance(name));
  }

  /** Between the client and the relay. */
  get cable(): Cable {
    if (this.#cable === undefined) throw new Error("the relay has not been started");
    return this.#cable;
  }

  /** Which id is which node, in words. */
  legend(): string {
    return [...this.#names()].map(([id, name]) => `${id.slice(0, 8)} is the ${name}`).join(", ");
  }

  /** The client's best path to the server in words, with the kind of link of each hop. */
  async pathText(): Promise<string> {
    const names = this.#names();
    const { path = [] } = await this.nodes.peer("client", "server") ?? {};
    const stops = path.map((id) => names.get(id)).filter((name) => name !== undefined);
    let text: string = stops[0] ?? "none";
    for (const [index, to] of stops.entries()) {
      const from = stops[index - 1];
      if (from !== undefined) text += ` =${(await this.nodes.peer(from, to))?.link}=> ${to}`;
    }
    return text;
  }

  /** Stops the nodes, then takes the cable away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using _cable = this.#cable;
    await this.nodes[Symbol.asyncDispose]();
  }

  async #start(name: NodeName, ...flags: string[]): Promise<void> {
    await this.nodes.start(name, "--listen", "127.0.0.1:0", "--addr", "none", ...flags);
    this.#started.push(name);
  }

  #names(): Map<NodeId, NodeName> {
    return new Map(this.#started.map((name) => [this.nodes.id(name), name]));
  }

  /** Where a node finds the relay: the client at the cable's other end. */
  async #entrance(name: NodeName): Promise<string> {
    return name === "client" ? `127.0.0.1:${this.cable.port}` : await this.nodes.address("relay");
  }
}
