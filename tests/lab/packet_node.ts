import { NativeLoop } from "../../plugins/tun-fec/start_loop.ts";
import type { LoopCommand, LoopEvent, LoopStats } from "../../plugins/tun-fec/loop/types.ts";
import { Libc } from "../../ffi/libc/libc.ts";
import { inNamespace } from "../../ffi/testing.ts";
import { Tun } from "../../ffi/tun/tun.ts";
import type { Lab } from "./namespaces.ts";

/** The interface in each node. */
const device = "mesh0";

export interface PacketNodeOptions {
  readonly lab: Lab;
  /** The lab's name of the node. */
  readonly node: string;
  /** Of the interface, with the length of the mesh's prefix: `10.100.0.1/16`, `fd00:100::1/64`. */
  readonly addresses: readonly string[];
  /** Where it listens. @default {"0.0.0.0"} */
  readonly listen?: string;
  /** @default {1420} */
  readonly mtu?: number;
}

/** A packet loop with its interface in a node of a lab, told by hand what the mesh would tell it. */
export class PacketNode implements AsyncDisposable {
  readonly node: string;
  readonly #loop: NativeLoop;
  readonly #owned: AsyncDisposableStack;
  readonly #events: LoopEvent[] = [];
  #news = Promise.withResolvers<void>();

  private constructor({ lab, node, listen = "0.0.0.0" }: PacketNodeOptions) {
    this.node = node;
    const stack = new AsyncDisposableStack();
    const libc = stack.use(Libc.open());
    const namespace = lab.namespace(node);
    const tun = stack.use(inNamespace(libc, namespace, () => Tun.open(libc, { name: device })));
    const heard = (event: LoopEvent) => {
      this.#events.push(event);
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    };
    const start = () =>
      new NativeLoop({ libc, tun, quic: { address: listen, port: 0 }, share: false, heard });
    this.#loop = stack.use(inNamespace(libc, namespace, start));
    this.#owned = stack;
  }

  /** Starts it and brings the interface up. */
  static async start(options: PacketNodeOptions): Promise<PacketNode> {
    await using stack = new AsyncDisposableStack();
    const made = stack.use(new PacketNode(options));
    const { lab, node, addresses, mtu = 1420 } = options;
    await made.heard("ready");
    for (const address of addresses) {
      const nodad = address.includes(":") ? ["nodad"] : [];
      await lab.exec(node, "ip", "address", "add", address, "dev", device, ...nodad);
    }
    await lab.exec(node, "ip", "link", "set", device, "mtu", `${mtu}`, "txqueuelen", "1000", "up");
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
