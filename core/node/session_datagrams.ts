import type { NodeId } from "../identity/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import { DatagramStream } from "../streams/mod.ts";
import type { Link } from "./link_manager.ts";

/**
 * The stream a data plane opens to its own node, to send and receive datagrams over the sessions of neighbours. Each is
 * `id of the neighbour (16 bytes), payload`.
 */
export const datagramsProtocol = "core.datagrams";

const idBytes = 16;
/** Datagrams that wait for the data plane to read; as many as a session holds. */
const maxWaiting = 256;

/** Carries datagrams between one reader in this process and the sessions; what nobody takes in time is dropped. */
export class SessionDatagrams {
  readonly #link: (peer: NodeId) => Link | undefined;
  readonly #kind: number;
  #deliver: ((frame: Uint8Array) => void) | undefined;
  #dropped = 0;

  /** @param options.kind the first byte of such a datagram */
  constructor(options: { link(peer: NodeId): Link | undefined; kind: number }) {
    this.#link = options.link;
    this.#kind = options.kind;
  }

  /** Datagrams dropped since the start, in either direction. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A datagram has come from a neighbour, its kind taken off. */
  received(from: NodeId, payload: Uint8Array): void {
    if (this.#deliver === undefined) return;
    const frame = new Uint8Array(idBytes + payload.length);
    frame.set(Uint8Array.fromHex(from));
    frame.set(payload, idBytes);
    this.#deliver(frame);
  }

  /** Serves the stream until it ends; a later one takes the place of an earlier one. Never rejects. */
  async serve(stream: ByteStream): Promise<void> {
    const datagrams = new DatagramStream(stream);
    const waiting: Uint8Array[] = [];
    let writing = false;
    const write = async () => {
      writing = true;
      try {
        while (waiting.length > 0) await datagrams.send(...waiting.splice(0));
      } catch {
        // The reader is gone; so is the stream.
        stream.reset();
      }
      writing = false;
    };
    const deliver = (frame: Uint8Array) => {
      if (waiting.length >= maxWaiting) {
        this.#dropped++;
        return;
      }
      waiting.push(frame);
      if (!writing) void write();
    };
    this.#deliver = deliver;
    try {
      for (;;) {
        const frame = await datagrams.receive();
        if (frame === null) break;
        this.#send(frame);
      }
      await stream.closeWrite();
    } catch {
      stream.reset();
    }
    if (this.#deliver === deliver) this.#deliver = undefined;
  }

  #send(frame: Uint8Array): void {
    if (frame.length <= idBytes) return;
    const link = this.#link(frame.subarray(0, idBytes).toHex());
    const datagram = frame.slice(idBytes - 1);
    datagram[0] = this.#kind;
    if (link?.session.sendDatagram(datagram) !== true) this.#dropped++;
  }
}
