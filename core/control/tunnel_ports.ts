/** A port stays marked for so long after its connection: what was sent on it may not have been read yet. */
const lingerMs = 30_000;

interface OwnConnection {
  readonly origin: string;
  /** When the connection ended; Infinity while it is open. */
  endedAt: number;
}

/**
 * Local ports of the connections this node itself opens for others, at the end of their tunnels. To a listener on this machine's loopback
 * such a connection looks like one of a local program; here it finds out whose it really is.
 */
export class TunnelPorts {
  readonly #now: () => number;
  /** By port: no more than there are. Those that ended first come first. */
  readonly #ports = new Map<number, OwnConnection>();

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Marks a connection, before a byte of its tunnel is written to it. Dispose when the connection has been closed.
   * @param port its port on this side
   * @param origin the node the tunnel comes from
   */
  open(port: number, origin: string): Disposable {
    this.#forget();
    const connection: OwnConnection = { origin, endedAt: Infinity };
    this.#ports.delete(port);
    this.#ports.set(port, connection);
    return {
      [Symbol.dispose]: () => {
        connection.endedAt = this.#now();
        // Behind those that ended earlier, unless somebody has the port again.
        if (this.#ports.get(port) !== connection) return;
        this.#ports.delete(port);
        this.#ports.set(port, connection);
      },
    };
  }

  /** The node at the other end of a connection from this local port; undefined when it is none of ours. */
  originOf(port: number): string | undefined {
    const connection = this.#ports.get(port);
    if (connection === undefined || this.#isOver(connection)) return undefined;
    return connection.origin;
  }

  #isOver({ endedAt }: OwnConnection): boolean {
    return endedAt + lingerMs <= this.#now();
  }

  #forget(): void {
    for (const [port, connection] of this.#ports) {
      if (this.#isOver(connection)) this.#ports.delete(port);
      else if (connection.endedAt !== Infinity) return;
    }
  }
}
