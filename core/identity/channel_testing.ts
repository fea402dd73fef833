import type { JoinChannel } from "./join_channel.ts";

/** Support for tests only: conversations in memory. */

/** One end of a conversation; `close()` ends both directions. */
export interface TestChannel extends JoinChannel {
  readonly remoteAddress: string;
  close(): void;
}

/** Two ends of one conversation. */
export function channelPair(remoteAddress = "192.0.2.1:4000"): [TestChannel, TestChannel] {
  const forth = new Mailbox();
  const back = new Mailbox();
  const close = () => {
    forth.close();
    back.close();
  };
  const end = (inbox: Mailbox, outbox: Mailbox): TestChannel => ({
    remoteAddress,
    receive: () => inbox.take(),
    send: (message) => {
      outbox.put(message.slice());
      return Promise.resolve();
    },
    close,
  });
  return [end(back, forth), end(forth, back)];
}

/** Messages in order; `null` for ever once closed and empty. */
class Mailbox {
  readonly #messages: Uint8Array[] = [];
  readonly #waiting: ((message: Uint8Array | null) => void)[] = [];
  #closed = false;

  put(message: Uint8Array): void {
    if (this.#closed) return;
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#messages.push(message);
    else taker(message);
  }

  take(): Promise<Uint8Array | null> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#closed) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#closed = true;
    for (const taker of this.#waiting.splice(0)) taker(null);
  }
}
