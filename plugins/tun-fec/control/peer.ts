import type { NodeId } from "../../../core/identity/mod.ts";
import type { DirectionKey } from "../keys/key_agreement.ts";
import { KeyExchange, type KeyExchangeOptions } from "../keys/key_exchange.ts";
import type { IndexTable } from "../labels/index_table.ts";
import type { LoopPort } from "../loop/loop_port.ts";

export interface PeerOptions extends Omit<KeyExchangeOptions, "act" | "helloed" | "agreement"> {
  readonly id: NodeId;
  readonly index: number;
  readonly agreement: Omit<KeyExchangeOptions["agreement"], "receiver">;
  readonly indexes: IndexTable<unknown>;
  readonly loop: LoopPort;
  /** Tables have to be made anew. */
  changed(): void;
}

/** A key that waits until the labels are there which lead to it. */
interface NextKey {
  readonly key: DirectionKey;
  readonly since: number;
}

/** One other node with a data plane: its keys, their names, and what it says of itself. */
export class Peer implements Disposable {
  readonly id: NodeId;
  readonly index: number;
  /** Its data port, 0 for QUIC's; undefined before it has said so. */
  dataPort: number | undefined;
  /** Where it was seen to have moved, and where its link went then. */
  roamed: { readonly endpoint: string; readonly remote: string } | undefined;
  readonly #options: PeerOptions;
  readonly #exchange: KeyExchange;
  /** Names given to keys of this peer, by epoch. */
  readonly #receivers = new Map<number, number>();
  /** Named, but not agreed on yet. */
  #offered: number | undefined;
  #current: DirectionKey | undefined;
  #next: NextKey | undefined;
  #reached = "";

  constructor(options: PeerOptions) {
    const { id, index, indexes, loop, changed } = options;
    this.#options = options;
    this.id = id;
    this.index = index;
    this.#exchange = new KeyExchange({
      ...options,
      log: (level, text, fields) => options.log(level, text, { peer: id, ...fields }),
      agreement: { ...options.agreement, receiver: () => this.#name() },
      helloed: ({ port }) => {
        this.dataPort = port;
        changed();
      },
      act: (action) => {
        switch (action.do) {
          case "receive":
            this.#offered = undefined;
            this.#receivers.set(action.key.epoch, action.key.receiver);
            loop.tell({ do: "receive", peer: index, key: action.key });
            break;
          case "seal":
            this.#next = { key: action.key, since: options.now() };
            changed();
            break;
          case "forget":
            indexes.remove(this.#receivers.get(action.epoch) ?? 0);
            this.#receivers.delete(action.epoch);
            loop.tell({ do: "forget", peer: index, epoch: action.epoch });
            break;
          case "silence":
            this.#current = this.#next = undefined;
            loop.tell({ do: "silence", peer: index });
            options.log("info", "no packets can be sealed", { peer: id, reason: action.reason });
            changed();
        }
      },
    });
  }

  /** The name of the key that is sealed with; undefined: nothing can be sent. */
  get receiver(): number | undefined {
    return this.#current?.receiver;
  }

  /** The key to be sealed with next, and how long it has waited for that. */
  get next(): { readonly receiver: number; readonly waitedMs: number } | undefined {
    if (this.#next === undefined) return undefined;
    const { key, since } = this.#next;
    return { receiver: key.receiver, waitedMs: this.#options.now() - since };
  }

  /** The next key is sealed with from now on: tables that lead to it are to be told before. */
  takeNext(): DirectionKey {
    const { key } = this.#next!;
    this.#current = key;
    this.#next = undefined;
    return key;
  }

  accept(stream: Parameters<KeyExchange["accept"]>[0]): Promise<void> {
    return this.#exchange.accept(stream);
  }

  /** By what links it is reached: where they are others than before, what failed may work now. */
  reached(by: string): void {
    if (by === this.#reached) return;
    this.#reached = by;
    this.#exchange.retry();
  }

  tick(): void {
    this.#exchange.tick();
  }

  heard(epoch: number): void {
    this.#exchange.heard(epoch);
  }

  sealed(segments: number): void {
    // A key that waits is not the one these were sealed with.
    if (this.#next === undefined) this.#exchange.sealed(segments);
  }

  #name(): number {
    // Whatever was offered before is not answered any more.
    if (this.#offered !== undefined) this.#options.indexes.remove(this.#offered);
    return this.#offered = this.#options.indexes.add(this);
  }

  /** The node is gone: nothing more is sealed for it, and nothing of it is opened. */
  [Symbol.dispose](): void {
    const { index, indexes, loop } = this.#options;
    this.#exchange[Symbol.dispose]();
    loop.tell({ do: "silence", peer: index });
    for (const [epoch, receiver] of this.#receivers) {
      indexes.remove(receiver);
      loop.tell({ do: "forget", peer: index, epoch });
    }
    if (this.#offered !== undefined) indexes.remove(this.#offered);
  }
}
