/** Datagrams that wait for a receiver; beyond, the oldest is dropped. */
const maxWaiting = 256;

/**
 * Takes datagrams off a QUIC connection from the start, because its own buffer would hold a stranger's: until `open()` they are
 * thrown away.
 */
export class DatagramInbox {
  readonly #connection: Pick<Deno.QuicConn, "readDatagram">;
  readonly #waiting: Uint8Array[] = [];
  #receiver: ((datagram: Uint8Array | null) => void) | undefined;
  #opened = false;
  #over = false;
  #received = 0;
  #dropped = 0;
  /** Resolves when the connection gives no more. */
  readonly done: Promise<void>;

  constructor(connection: Pick<Deno.QuicConn, "readDatagram">) {
    this.#connection = connection;
    this.done = this.#run();
  }

  get received(): number {
    return this.#received;
  }

  get dropped(): number {
    return this.#dropped;
  }

  open(): void {
    this.#opened = true;
  }

  /** The next datagram, null once the connection is over. One call at a time. */
  receive(): Promise<Uint8Array | null> {
    if (this.#over) return Promise.resolve(null);
    const first = this.#waiting.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => this.#receiver = resolve);
  }

  async #run(): Promise<void> {
    try {
      for (;;) this.#take(await this.#connection.readDatagram());
    } catch {
      // The connection ended; its `closed` says why.
      this.#over = true;
      this.#waiting.length = 0;
      this.#receiver?.(null);
      this.#receiver = undefined;
    }
  }

  #take(datagram: Uint8Array): void {
    if (!this.#opened) return;
    this.#received++;
    const receiver = this.#receiver;
    if (receiver !== undefined) {
      this.#receiver = undefined;
      receiver(datagram);
      return;
    }
    if (this.#waiting.length >= maxWaiting) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#waiting.push(datagram);
  }
}
