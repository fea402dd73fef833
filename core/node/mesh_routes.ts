import type { GossipRecord } from "../gossip/types.ts";
import type { NodeId } from "../identity/types.ts";
import {
  type Avoid,
  type NoPath,
  type Path,
  type Paths,
  type QuickestWay,
  Router,
} from "../router/mod.ts";
import { reportedLinks } from "./mesh_view.ts";

export interface MeshRoutesOptions {
  readonly self: NodeId;
  readonly random: () => number;
  records(): Iterable<GossipRecord>;
  /** Moves when routes have to be computed anew. */
  graphVersion(): number;
}

/** The router over what gossip knows, brought up to date when somebody asks and not before. */
export class MeshRoutes {
  readonly #options: MeshRoutesOptions;
  readonly #router: Router;
  #version = -1;
  /** Changes that are not of the graph. */
  #changes = 0;

  constructor(options: MeshRoutesOptions) {
    this.#options = options;
    this.#router = new Router({ self: options.self, random: options.random });
  }

  /** Moves when paths may be others. */
  get version(): string {
    return `${this.#options.graphVersion()}.${this.#changes}`;
  }

  setLiveNeighbours(ids: Iterable<NodeId>): void {
    this.#changes++;
    this.#router.setLiveNeighbours(ids);
  }

  setRevoked(ids: Iterable<NodeId>): void {
    this.#changes++;
    this.#router.setRevoked(ids);
  }

  setPins(pins: ReadonlyMap<NodeId, NodeId>): void {
    this.#changes++;
    this.#router.setPins(pins);
  }

  /** The viable paths to a node, best first, or why there is none. */
  paths(destination: NodeId): Paths | NoPath {
    return this.#fresh().paths(destination);
  }

  /** Drawn by weight, for a flow of data. */
  choose(destination: NodeId, avoid: Avoid): Path | NoPath {
    return this.#fresh().choose(destination, avoid);
  }

  /** The best one, for control. */
  best(destination: NodeId, avoid: Avoid): Path | NoPath {
    return this.#fresh().best(destination, avoid);
  }

  /** The quickest way to every node, for tables. */
  ways(): Map<NodeId, QuickestWay> {
    return this.#fresh().ways();
  }

  #fresh(): Router {
    const version = this.#options.graphVersion();
    if (version !== this.#version) {
      this.#version = version;
      const known = Array.from(this.#options.records(), (record) => record.id);
      this.#router.setTopology(reportedLinks(this.#options.records()), version, known);
    }
    return this.#router;
  }
}
