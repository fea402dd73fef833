import { Lab } from "../lab/namespaces.ts";
import { requires } from "../lab/requires.ts";
import { SystemMesh } from "../system/system_mesh.ts";
import { tunNeeds } from "../system/tun_mesh.ts";
import { type Convergence, TunStar } from "../system/tun_star.ts";
import type { BenchGroup } from "./bench.ts";
import { sharedSite } from "./shared_site.ts";

const nodes = 10;

/** Ten nodes around one relay, which start again and again from nothing but their certificates and what they remember. */
class StarSite implements AsyncDisposable {
  readonly #star: TunStar;
  readonly #owned: AsyncDisposableStack;
  readonly #runs: Promise<Convergence>[] = [];

  private constructor(star: TunStar, owned: AsyncDisposableStack) {
    this.#star = star;
    this.#owned = owned;
  }

  static async start(): Promise<StarSite> {
    const { ignore, reason } = requires(tunNeeds);
    if (ignore) throw new Error(`this bench ${reason}`);
    await using stack = new AsyncDisposableStack();
    const lab = stack.use(await Lab.create("pulsebench"));
    const directory = await Deno.makeTempDir({ prefix: "pulse-bench-" });
    stack.defer(() => Deno.remove(directory, { recursive: true }));
    const doors = await TunStar.site(lab, nodes);
    const mesh = stack.use(new SystemMesh(directory, lab));
    const star = await TunStar.create(mesh, lab, doors);
    return new StarSite(star, stack.move());
  }

  /** Run number `n`; every bench sees the same ones. */
  run(n: number): Promise<Convergence> {
    return this.#runs[n] ??= this.#startAndStop();
  }

  async #startAndStop(): Promise<Convergence> {
    const convergence = await this.#star.converge();
    await this.#star.stop();
    return convergence;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

const onSite = sharedSite(() => StarSite.start());

function converges(seconds: (convergence: Convergence) => number) {
  let n = 0;
  return onSite(async (site) => seconds(await site.run(n++)));
}

/** How soon many nodes with packet tunnels are of use to each other. */
export const starBenches: readonly BenchGroup[] = [{
  title: `${nodes} nodes with packet tunnels, linked to one relay each, all started at once here`,
  rounds: 2,
  benches: [
    {
      name: "packets-ten",
      title: "until all have answers of all, from their start",
      unit: "s",
      target: 10,
      start: converges(({ sinceStart }) => sinceStart),
    },
    {
      name: "packets-ten-up",
      title: "... from when the last had started",
      unit: "s",
      start: converges(({ sinceUp }) => sinceUp),
    },
  ],
}];
