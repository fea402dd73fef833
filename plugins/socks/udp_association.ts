import { formatHostPort, type HostPort } from "../../core/address/mod.ts";
import { PulseError } from "../../core/errors/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import type { Connect } from "./connector.ts";
import { UdpFlow } from "./udp_flow.ts";
import { parseUdpRequest, type UdpRequest } from "./udp_request.ts";

/** Largest UDP payload. */
const maxDatagram = 65_507;

export interface UdpAssociationOptions {
  /** IP the client reached this server by; its datagrams come and go there too. */
  readonly local: string;
  /** IP of the client; nobody else is heard. */
  readonly client: string;
  /** The port the client said it sends from; 0: the first to send from its IP decides. */
  readonly clientPort: number;
  readonly maxFlows: number;
  /** Opens a stream of datagrams to where one is addressed. */
  readonly connect: Connect;
  readonly tally: DatagramTally;
  readonly log: LogFn;
}

/** Counted since the start. */
export interface DatagramTally {
  /** Bytes of payload into the mesh, and back. */
  aToB: number;
  bToA: number;
  /** Not ours, not understood, or too many at once. */
  dropped: number;
}

/** One client's UDP ASSOCIATE: a socket for it alone, and one stream for each destination it sends to. */
export class UdpAssociation implements AsyncDisposable {
  readonly #options: UdpAssociationOptions;
  readonly #socket: Deno.DatagramConn;
  /** By header; the one used last comes last. */
  readonly #flows = new Map<string, UdpFlow>();
  /** Those included that made room and are about to end. */
  readonly #living = new Set<UdpFlow>();
  readonly #running: Promise<void>;
  #client: Deno.NetAddr | undefined;

  /** Binds at once. @throws {PulseError} SOCKS_UDP */
  constructor(options: UdpAssociationOptions) {
    this.#options = options;
    try {
      this.#socket = Deno.listenDatagram({ transport: "udp", hostname: options.local, port: 0 });
    } catch (cause) {
      throw new PulseError(
        "SOCKS_UDP",
        `No UDP socket can be had on ${options.local}`,
        { host: options.local },
        cause,
      );
    }
    this.#running = this.#listen();
  }

  /** Where the client is to send. */
  get bound(): HostPort {
    const { hostname, port } = this.#socket.addr as Deno.NetAddr;
    return { host: hostname, port };
  }

  async #listen(): Promise<void> {
    const buffer = new Uint8Array(maxDatagram);
    for (;;) {
      let datagram: Uint8Array;
      let from: Deno.NetAddr;
      try {
        [datagram, from] = await this.#socket.receive(buffer) as [Uint8Array, Deno.NetAddr];
      } catch {
        // Closed with the association.
        return;
      }
      const request = this.#isClient(from) ? parseUdpRequest(datagram) : undefined;
      if (request === undefined || !this.#flow(request).offer(request.payload)) {
        this.#options.tally.dropped++;
        continue;
      }
      this.#options.tally.aToB += request.payload.length;
    }
  }

  #isClient(from: Deno.NetAddr): boolean {
    const { client, clientPort } = this.#options;
    if (this.#client !== undefined) {
      return from.port === this.#client.port && from.hostname === this.#client.hostname;
    }
    const ours = from.hostname === client && (clientPort === 0 || from.port === clientPort);
    if (ours) this.#client = from;
    return ours;
  }

  #flow(request: UdpRequest): UdpFlow {
    const key = request.header.toHex();
    const known = this.#flows.get(key);
    this.#flows.delete(key);
    const flow = known ?? this.#newFlow(request, key);
    this.#flows.set(key, flow);
    if (this.#flows.size > this.#options.maxFlows) this.#dropOldest();
    return flow;
  }

  #newFlow({ host, port, header }: UdpRequest, key: string): UdpFlow {
    const { connect, log, tally } = this.#options;
    const kept = header.slice();
    const flow = new UdpFlow({
      open: (signal) => connect({ host, port }, signal),
      deliver: async (payload) => {
        const datagram = new Uint8Array(kept.length + payload.length);
        datagram.set(kept, 0);
        datagram.set(payload, kept.length);
        const sent = await this.#socket.send(datagram, this.#client!).catch(() => 0);
        if (sent === datagram.length) tally.bToA += payload.length;
        else tally.dropped++;
      },
      log: (level, message, fields) =>
        log(level, message, { target: formatHostPort({ host, port }), ...fields }),
    });
    this.#living.add(flow);
    void flow.done.then(() => {
      this.#living.delete(flow);
      if (this.#flows.get(key) === flow) this.#flows.delete(key);
    });
    return flow;
  }

  #dropOldest(): void {
    for (const [key, flow] of this.#flows) {
      this.#flows.delete(key);
      void flow[Symbol.asyncDispose]();
      return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#running;
    await Promise.all([...this.#living].map((flow) => flow[Symbol.asyncDispose]()));
  }
}
