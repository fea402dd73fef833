import { DelayLine } from "./delay_line.ts";

/** Most clients at a time, each with a source port of its own; the one silent for longest gives way. */
const MOST_CLIENTS = 256;
/** Most datagrams under way in one direction while a delay is set: 20 MB at most in practice. */
const MOST_DELAYED = 16_384;
const LARGEST_DATAGRAM = 65_535;

/** One client of the cable and the socket that speaks for it. */
interface Mapping {
  readonly client: Deno.NetAddr;
  socket: Deno.DatagramConn;
}

/** The UDP half of a `Cable`. */
export class UdpCable implements AsyncDisposable {
  readonly port: number;
  readonly bytes = { toTarget: 0, fromTarget: 0 };
  dropped = 0;
  blocked = false;
  cut = false;
  delayMs = 0;
  readonly #target: Deno.NetAddr;
  readonly #hostname: string;
  readonly #listener: Deno.DatagramConn;
  /** Least recently used first. */
  readonly #mappings = new Map<string, Mapping>();
  readonly #delayed: DelayLine<() => void>;
  readonly #running = new Set<Promise<void>>();
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  /** @throws {Deno.errors.AddrInUse} */
  constructor(target: { readonly hostname: string; readonly port: number }, port: number) {
    this.#target = { transport: "udp", ...target };
    this.#hostname = target.hostname.includes(":") ? "::1" : "127.0.0.1";
    this.#delayed = new DelayLine(MOST_DELAYED, (send) => send());
    this.#listener = this.#bind(port);
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#track(this.#pump(this.#listener, (data, from) => {
      const mapping = this.#mappingOf(from);
      return { socket: () => mapping.socket, to: this.#target, direction: "toTarget", data };
    }));
  }

  /** New source ports for all clients; what is on its way to the old ones is lost. */
  rebind(): void {
    for (const mapping of this.#mappings.values()) {
      const old = mapping.socket;
      // The new socket first, so that the system cannot give the same port again.
      mapping.socket = this.#open(mapping);
      old.close();
    }
  }

  #mappingOf(client: Deno.NetAddr): Mapping {
    const key = `${client.hostname} ${client.port}`;
    let mapping = this.#mappings.get(key);
    if (mapping !== undefined) {
      this.#mappings.delete(key);
    } else {
      mapping = { client, socket: this.#listener };
      mapping.socket = this.#open(mapping);
      const [oldest] = this.#mappings;
      if (oldest !== undefined && this.#mappings.size >= MOST_CLIENTS) {
        this.#mappings.delete(oldest[0]);
        oldest[1].socket.close();
      }
    }
    this.#mappings.set(key, mapping);
    return mapping;
  }

  #open({ client }: Mapping): Deno.DatagramConn {
    const socket = this.#bind(0);
    this.#track(this.#pump(socket, (data, from) => {
      if (from.port !== this.#target.port) return undefined; // not the target: a real NAT drops it too
      return { socket: () => this.#listener, to: client, direction: "fromTarget", data };
    }));
    return socket;
  }

  #bind(port: number): Deno.DatagramConn {
    return Deno.listenDatagram({ transport: "udp", hostname: this.#hostname, port });
  }

  async #pump(
    from: Deno.DatagramConn,
    route: (data: Uint8Array, from: Deno.NetAddr) => Parcel | undefined,
  ): Promise<void> {
    const buffer = new Uint8Array(LARGEST_DATAGRAM);
    for (;;) {
      let received: [Uint8Array, Deno.Addr];
      try {
        received = await from.receive(buffer);
      } catch (error) {
        if (isClosed(error)) return;
        throw error;
      }
      const parcel = this.#closed ? undefined : route(received[0], received[1] as Deno.NetAddr);
      if (parcel === undefined) continue;
      if (this.cut || this.blocked) {
        this.dropped += 1;
      } else if (this.delayMs === 0 && this.#delayed.length === 0) {
        await this.#send(parcel);
      } else {
        const copy = { ...parcel, data: parcel.data.slice() };
        if (!this.#delayed.push(() => this.#sendDelayed(copy), this.delayMs)) this.dropped += 1;
      }
    }
  }

  #sendDelayed(parcel: Parcel): void {
    if (this.cut || this.blocked) this.dropped += 1;
    else this.#track(this.#send(parcel));
  }

  async #send({ socket, to, direction, data }: Parcel): Promise<void> {
    try {
      await socket().send(data, to);
      this.bytes[direction] += data.length;
    } catch (error) {
      // A full socket buffer, a target that does not listen, a rebind in between: UDP loses it.
      if (!isClosed(error) && !(error instanceof Deno.errors.ConnectionRefused)) throw error;
      this.dropped += 1;
    }
  }

  #track(task: Promise<void>): void {
    this.#running.add(task);
    task.catch((error) => this.#failure ??= { error }).finally(() => this.#running.delete(task));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#delayed[Symbol.dispose]();
    this.#listener.close();
    for (const { socket } of this.#mappings.values()) socket.close();
    this.#mappings.clear();
    await Promise.allSettled(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

interface Parcel {
  /** Asked at the moment of sending: a rebind may have come in between. */
  readonly socket: () => Deno.DatagramConn;
  readonly to: Deno.NetAddr;
  readonly direction: "toTarget" | "fromTarget";
  readonly data: Uint8Array;
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}
