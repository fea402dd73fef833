import {
  type ExitNode,
  type ExitRoute,
  ExitTable,
  type FoundExit,
  isPublic,
} from "../exits/mod.ts";
import type { GossipRecord } from "../gossip/types.ts";
import type { NodeId } from "../identity/types.ts";
import type { ConfigBody } from "../netconfig/mod.ts";

/** A node that says so in gossip leads out of the mesh. */
export const exitCapability = "exit";
/** ... and forwards packets there. */
export const packetExitCapability = "exit.packets";

export interface ExitViewOptions {
  readonly self: NodeId;
  /** Ranges this node leads to now. */
  cidrs(): readonly string[];
  /** What a node has to be able to do to count. */
  readonly capability: string;
  /** Through whom the whole internet goes: `auto` or a node as the operator named it. */
  readonly use: string | undefined;
  readonly killswitch: boolean;
  body(): ConfigBody;
  /** Moves when paths or the nodes there are may be others. */
  pathsVersion(): string;
  configVersion(): string;
  /** Of the best path to a node; null: there is none. */
  score(node: NodeId): number | null;
  /** This node's own mesh addresses. */
  addresses(): readonly string[];
  /** Undefined: no such node, or several. */
  findNode(text: string): NodeId | undefined;
}

/** Bits of the prefix all IPv6 mesh addresses of a network share. */
const meshPrefix6 = 48;

/** The routes out of the mesh as they are now, computed anew when somebody asks and something has changed. */
export class ExitView {
  readonly #options: ExitViewOptions;
  readonly #table: ExitTable;
  /** What nodes announce. */
  readonly #announced = new Map<NodeId, readonly string[]>();
  #changes = 0;
  #stamp = "";

  constructor(options: ExitViewOptions) {
    this.#options = options;
    this.#table = new ExitTable(options.self);
  }

  /** A record that has just been taken. */
  learned({ id, report }: GossipRecord): void {
    const { self, capability } = this.#options;
    const cidrs = report.capabilities.includes(capability) ? report.exitCidrs : [];
    if (id === self || (this.#announced.get(id) ?? []).join() === cidrs.join()) return;
    if (cidrs.length === 0) this.#announced.delete(id);
    else this.#announced.set(id, cidrs);
    this.#changes++;
  }

  /** A node that is no longer known. */
  removed(id: NodeId): void {
    if (this.#announced.delete(id)) this.#changes++;
  }

  /** Moves when anything below may be other than before. */
  get version(): string {
    const { pathsVersion, configVersion, cidrs } = this.#options;
    return [pathsVersion(), configVersion(), this.#changes, ...cidrs()].join(" ");
  }

  /** Who leads to an address; this node itself where it does. */
  find(address: string, avoid: readonly NodeId[] = []): FoundExit | undefined {
    return this.#fresh().find(address, avoid);
  }

  /** Whether the address may be reached through the operator's exit alone, and there is none now. */
  blocks(address: string): boolean {
    const { use, killswitch } = this.#options;
    return killswitch && use !== undefined && this.find(address) === undefined &&
      isPublic(address, this.meshCidrs());
  }

  /** Whether any address at all has to be looked up. */
  get matters(): boolean {
    return this.#options.killswitch || this.#fresh().behind().size > 0;
  }

  list(): readonly ExitRoute[] {
    return this.#fresh().list();
  }

  behind(): ReadonlyMap<NodeId, readonly string[]> {
    return this.#fresh().behind();
  }

  /** Ranges that this node leads others to. */
  own(): readonly string[] {
    return this.#fresh().own();
  }

  get use(): string | null {
    return this.#options.use ?? null;
  }

  get killswitch(): boolean {
    return this.#options.killswitch;
  }

  /** The mesh's own ranges. */
  meshCidrs(): readonly string[] {
    const { body, addresses } = this.#options;
    const own6 = addresses().filter((address) => address.includes(":"));
    return [body().meshCidr, ...own6.map((address) => `${address}/${meshPrefix6}`)];
  }

  #fresh(): ExitTable {
    const stamp = this.version;
    if (stamp === this.#stamp) return this.#table;
    this.#stamp = stamp;
    const { self, cidrs, use, body, score, findNode } = this.#options;
    const exits: ExitNode[] = [{ id: self, cidrs: cidrs(), score: null }];
    for (const [id, ranges] of this.#announced) {
      exits.push({ id, cidrs: ranges, score: score(id) });
    }
    this.#table.update({
      exits,
      approvals: body().routes,
      meshCidrs: this.meshCidrs(),
      choice: use === undefined ? "none" : use === "auto" ? use : { node: findNode(use) },
    });
    return this.#table;
  }
}
