import { Lab } from "../lab/namespaces.ts";
import { requires } from "../lab/requires.ts";
import { SystemMesh } from "../system/system_mesh.ts";
import { tunNeeds } from "../system/tun_mesh.ts";
import { type Convergence, TunStar } from "../system/tun_star.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";

const nodes = 10;

/** Seconds until ten nodes around one relay have all had answers from all others, from nothing but their certificates. */
function converges(seconds: (convergence: Convergence) => number) {
  return async (): Promise<RunningBench> => {
    const { ignore, reason } = requires(tunNeeds);
    if (ignore) throw new Error(`this bench ${reason}`);
    await using stack = new AsyncDisposableStack();
    const lab = stack.use(await Lab.create("pulsebench"));
    const directory = await Deno.makeTempDir({ prefix: "pulse-bench-" });
    stack.defer(() => Deno.remove(directory, { recursive: true }));
    const doors = await TunStar.site(lab, nodes);
    const mesh = stack.use(new SystemMesh(directory, lab));
    const star = await TunStar.create(mesh, lab, doors);
    const owned = stack.move();
    return {
      async round() {
        const convergence = await star.converge();
        await star.stop();
        return seconds(convergence);
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  };
}

/** How soon many nodes with packet tunnels are of use to each other. */
export const starBenches: readonly BenchGroup[] = [{
  title: `${nodes} nodes with packet tunnels, linked to one relay each, started at once`,
  rounds: 2,
  benches: [
    {
      name: "packets-ten",
      title: "all have answers of all, since the last was up",
      unit: "s",
      target: 10,
      start: converges(({ sinceUp }) => sinceUp),
    },
    {
      name: "packets-ten-start",
      title: "all have answers of all, since all were started",
      unit: "s",
      target: 10,
      start: converges(({ sinceStart }) => sinceStart),
    },
  ],
}];
