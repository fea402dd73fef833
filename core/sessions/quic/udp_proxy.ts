/** Support for tests: a UDP path between one client and a server that can change the client's apparent port or go dead. */
export class UdpProxy implements Disposable {
  readonly #target: Deno.NetAddr;
  readonly #front: Deno.DatagramConn;
  #back: Deno.DatagramConn;
  readonly #retired: Deno.DatagramConn[] = [];
  #client: Deno.Addr | undefined;
  #dead = false;
  #carried = 0;

  constructor(target: { host: string; port: number }) {
    this.#target = { transport: "udp", hostname: target.host, port: target.port };
    this.#front = bind();
    this.#back = bind();
    this.#carryThere();
    this.#carryBack(this.#back);
  }

  get port(): number {
    return (this.#front.addr as Deno.NetAddr).port;
  }

  /** Datagrams taken from the client so far. */
  get carried(): number {
    return this.#carried;
  }

  /** What a NAT does that lost its mapping: the server sees another port from now on. */
  rebind(): void {
    this.#retired.push(this.#back);
    this.#back = bind();
    this.#carryBack(this.#back);
  }

  /** Nothing gets through any more. */
  kill(): void {
    this.#dead = true;
  }

  [Symbol.dispose](): void {
    for (const socket of [this.#front, this.#back, ...this.#retired]) socket.close();
  }

  async #carryThere(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const [data, from] = await this.#front.receive(buffer);
        this.#client = from;
        this.#carried++;
        if (!this.#dead) await this.#back.send(data, this.#target);
      }
    } catch {
      // The test is over and the socket closed.
    }
  }

  async #carryBack(socket: Deno.DatagramConn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const [data] = await socket.receive(buffer);
        if (!this.#dead && this.#client !== undefined) await this.#front.send(data, this.#client);
      }
    } catch {
      // The test is over and the socket closed.
    }
  }
}

function bind(): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
}
