/** Support for tests: a UDP socket on loopback that is closed with its scope. */
export class TestUdpSocket implements Disposable {
  readonly #socket: Deno.DatagramConn;
  readonly #buffer = new Uint8Array(65_535);

  constructor(hostname = "127.0.0.1") {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  /** The next datagram and where it came from. */
  async receive(): Promise<[Uint8Array, Deno.NetAddr]> {
    const [bytes, from] = await this.#socket.receive(this.#buffer);
    return [bytes.slice(), from as Deno.NetAddr];
  }

  async send(bytes: Uint8Array, to: { hostname: string; port: number }): Promise<void> {
    await this.#socket.send(bytes, { transport: "udp", ...to });
  }

  /** Gives every datagram back to where it came from, until the scope ends. */
  async echo(): Promise<void> {
    try {
      for (;;) await this.send(...await this.receive());
    } catch {
      // Closed.
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
