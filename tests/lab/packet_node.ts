import { NativeLoop } from "../../plugins/tun-fec/start_loop.ts";
import type { LoopCommand, LoopEvent, LoopStats } from "../../plugins/tun-fec/loop/types.ts";
import { Libc } from "../../ffi/libc/libc.ts";
import { inNamespace } from "../../ffi/testing.ts";
import { TunInterface } from "../../plugins/tun-fec/interface/tun_interface.ts";
import type { Lab } from "./namespaces.ts";

/** The interface in each node. */
const device = "mesh0";

export interface PacketNodeOptions {
  readonly lab: Lab;
  /** The lab's name of the node. */
  readonly node: string;
  /** Of the interface. */
  readonly addresses: readonly string[];
  /** What lies behind the interface: `10.100.0.0/16`. */
  readonly routes: readonly string[];
  /** Where it listens. @default {"0.0.0.0"} */
  readonly listen?: string;
  /** Of the interface. @default {1} */
  readonly queues?: number;
}

/** A packet loop with its interface in a node of a lab, told by hand what the mesh would tell it. */
export class PacketNode implements AsyncDisposable {
  readonly node: string;
  readonly #loop: NativeLoop;
  readonly #owned: AsyncDisposableStack;
  readonly #events: LoopEvent[] = [];
  #news = Promise.withResolvers<void>();

  private constructor(options: PacketNodeOptions) {
    const { lab, node, addresses, routes, listen = "0.0.0.0", queues = 1 } = options;
    this.node = node;
    const stack = new AsyncDisposableStack();
    const libc = stack.use(Libc.open());
    const namespace = lab.namespace(node);
    const log = (_level: string, text: string) => console.error(`${node}: ${text}`);
    const link = stack.use(
      inNamespace(libc, namespace, () => TunInterface.open(libc, device, log, queues)),
    );
    link.apply({
      addresses: addresses.map((address) => ({
        address,
        prefixLength: address.includes(":") ? 128 : 32,
      })),
      routes,
    });
    const heard = (event: LoopEvent) => {
      this.#events.push(event);
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    };
    const start = () =>
      new NativeLoop({ libc, tun: link, quic: { address: listen, port: 0 }, share: false, heard });
    this.#loop = stack.use(inNamespace(libc, namespace, start));
    this.#owned = stack;
  }

  /** Starts it. */
  static async start(options: PacketNodeOptions): Promise<PacketNode> {
    await using stack = new AsyncDisposableStack();
    const made = stack.use(new PacketNode(options));
    await made.heard("ready");
    stack.move();
    return made;
  }

  /** UDP port of its data. */
  get port(): number {
    return this.#loop.port;
  }

  tell(...commands: readonly LoopCommand[]): void {
    this.#loop.tell(...commands);
  }

  /** The next event of a kind. @throws {Error} the loop has failed */
  async heard<K extends LoopEvent["say"]>(kind: K): Promise<Extract<LoopEvent, { say: K }>> {
    for (;;) {
      const failed = this.#events.find((event) => event.say === "failed");
      if (failed?.say === "failed") throw new Error(`the loop has failed: ${failed.error}`);
      const at = this.#events.findIndex(({ say }) => say === kind);
      if (at >= 0) return this.#events.splice(at, 1)[0] as Extract<LoopEvent, { say: K }>;
      await this.#news.promise;
    }
  }

  async stats(): Promise<LoopStats> {
    this.tell({ do: "stats" });
    return (await this.heard("stats")).stats;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}
