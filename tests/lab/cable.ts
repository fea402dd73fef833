import { TcpCable } from "./tcp_cable.ts";
import { UdpCable } from "./udp_cable.ts";

/** Where the far end of the cable is plugged in. */
export interface CableTarget {
  /** A literal address. @default {"127.0.0.1"} */
  readonly hostname?: string;
  readonly port: number;
}

/** Payload bytes forwarded. */
export interface CableBytes {
  readonly toTarget: number;
  readonly fromTarget: number;
}

/**
 * A network cable in user space: listens on one loopback port for UDP and TCP and forwards both to a target. It can be cut,
 * made a UDP-blocking firewall, slowed down, and made to look like a NAT that has forgotten its mappings.
 *
 * ```ts
 * await using cable = await Cable.create({ port: relayPort });
 * dial(`127.0.0.1:${cable.port}`);
 * cable.blockUdp = true;
 * ```
 */
export class Cable implements AsyncDisposable {
  readonly #udp: UdpCable;
  readonly #tcp: TcpCable;

  private constructor(udp: UdpCable, tcp: TcpCable) {
    this.#udp = udp;
    this.#tcp = tcp;
  }

  /**
   * @param port to listen on; 0 takes a free one
   * @throws {Deno.errors.AddrInUse}
   */
  static async create(target: CableTarget, port = 0): Promise<Cable> {
    const { hostname = "127.0.0.1", port: targetPort } = target;
    const to = { hostname, port: targetPort };
    // A port free for UDP may be taken for TCP: with port 0 another one is tried.
    for (let attempt = 1;; attempt++) {
      const udp = new UdpCable(to, port);
      try {
        return new Cable(udp, new TcpCable(to, udp.port));
      } catch (error) {
        await udp[Symbol.asyncDispose]();
        const again = port === 0 && attempt < 20 && error instanceof Deno.errors.AddrInUse;
        if (!again) throw error;
      }
    }
  }

  /** The port it listens on, on the target's address family's loopback, for UDP and TCP. */
  get port(): number {
    return this.#udp.port;
  }

  /** Payload bytes forwarded so far, UDP and TCP. */
  get bytes(): { readonly udp: CableBytes; readonly tcp: CableBytes } {
    return { udp: { ...this.#udp.bytes }, tcp: { ...this.#tcp.bytes } };
  }

  /** Datagrams lost: while blocked, or because the delay line was full. */
  get datagramsDropped(): number {
    return this.#udp.dropped;
  }

  /** A firewall without UDP: datagrams vanish, TCP passes. */
  set blockUdp(blocked: boolean) {
    this.#udp.blocked = blocked;
  }

  /** The cable is pulled: datagrams vanish, TCP stands still and goes on where it was once plugged in again. */
  set cut(cut: boolean) {
    this.#udp.cut = cut;
    this.#tcp.cut = cut;
  }

  /** One-way delay, each way, in milliseconds. */
  set delayMs(delayMs: number) {
    this.#udp.delayMs = delayMs;
    this.#tcp.delayMs = delayMs;
  }

  /** A NAT that has lost its mappings: from now on the target sees other UDP source ports. */
  rebindUdp(): void {
    this.#udp.rebind();
  }

  /** Ends all TCP connections that pass through, abruptly. */
  breakTcp(): void {
    this.#tcp.breakAll();
  }

  /** Closes both sockets and everything that passes through them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#udp[Symbol.asyncDispose](), this.#tcp[Symbol.asyncDispose]()]);
  }
}
