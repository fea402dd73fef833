import { isNoPath, type Path } from "../../core/router/mod.ts";
import type { Prng } from "./prng.ts";
import type { SimNode } from "./sim_node.ts";
import { components } from "./topology.ts";
import type { World } from "./world.ts";

/** Most links a path may have. */
const maxLinks = 16;

/** What was looked at, and everything that was not as it must be. */
export interface Findings {
  paths: number;
  records: number;
  /** One line each. */
  readonly broken: string[];
}

/** Every record held anywhere is one its author really published, under that sequence and with that content. */
export function checkRecords(world: World, when: string, findings: Findings): void {
  for (const node of world.nodes) {
    if (!node.alive) continue;
    for (const { id, sequence, report } of node.engine.records()) {
      if (id === node.id) continue;
      findings.records++;
      if (world.nodeOf(id) === undefined || !world.facts.isGenuine(id, sequence, report)) {
        findings.broken.push(`${when}: forged record accepted: node ${node.index} about ${id}`);
      }
    }
  }
}

/**
 * Paths from some nodes to some others: simple, short enough, over links that are up now; and there is one exactly where the
 * links allow one.
 */
export function checkPaths(
  world: World,
  when: string,
  sample: { readonly sources: number; readonly destinations: number },
  random: Prng,
  findings: Findings,
): void {
  const part = components(
    world.nodes.length,
    world.links.filter((link) => link.session !== 0 && !link.cut),
  );
  const alive = world.nodes.filter((node) => node.alive);
  for (let s = 0; s < sample.sources; s++) {
    const source = random.pick(alive);
    const router = source.freshRouter();
    for (let d = 0; d < sample.destinations; d++) {
      const destination = random.pick(alive);
      if (destination === source) continue;
      const about = `${when}: ${source.index} -> ${destination.index}`;
      const answer = router.paths(destination.id);
      const connected = part[source.index] === part[destination.index];
      if ("reason" in answer) {
        // Beyond 16 links there is rightly no path.
        if (connected && answer.reason !== "too-many-hops") {
          findings.broken.push(`${about}: no path (${answer.reason})`);
        }
        continue;
      }
      if (!connected) findings.broken.push(`${about}: a path where there is no connection`);
      const chosen = router.choose(destination.id);
      if (isNoPath(chosen) || !answer.paths.includes(chosen)) {
        findings.broken.push(`${about}: chose a path that is not among the candidates`);
      }
      for (const path of answer.paths) {
        findings.paths++;
        const fault = pathFault(world, path, source, destination);
        if (fault !== null) findings.broken.push(`${about}: ${fault}`);
      }
    }
  }
}

/** What is wrong with a computed path; null when nothing is. */
export function pathFault(
  world: World,
  path: Pick<Path, "nodes">,
  from: SimNode,
  to: SimNode,
): string | null {
  const { nodes } = path;
  if (new Set(nodes).size !== nodes.length) return "loop in a computed path";
  if (nodes[0] !== from.id || nodes.at(-1) !== to.id) return "a path that starts or ends elsewhere";
  if (nodes.length - 1 > maxLinks) return `a path of ${nodes.length - 1} links`;
  for (let i = 1; i < nodes.length; i++) {
    const link = world.linkBetween(nodes[i - 1]!, nodes[i]!);
    if (link === undefined) return "a link that never was";
    if (link.session === 0 || link.cut) return "stale route: a link that is down";
  }
  return null;
}

/** What every node has said up to a moment, and whether every node has heard it. */
export class Agreement {
  readonly #nodes: readonly SimNode[];
  readonly #sequences: readonly number[];
  /** Nodes that have heard everything need not be asked again. */
  readonly #lagging: Set<SimNode>;

  constructor(world: World) {
    this.#nodes = world.nodes.filter((node) => node.alive);
    this.#sequences = this.#nodes.map((node) => node.engine.sequence);
    this.#lagging = new Set(this.#nodes);
  }

  reached(): boolean {
    for (const node of this.#lagging) {
      const heard = this.#nodes.every((other, i) =>
        (node.engine.get(other.id)?.sequence ?? 0) >= this.#sequences[i]!
      );
      if (!heard) return false;
      this.#lagging.delete(node);
    }
    return true;
  }
}
