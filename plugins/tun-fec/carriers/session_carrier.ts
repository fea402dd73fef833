import { errorText } from "../../../core/errors/mod.ts";
import type { NodeId } from "../../../core/identity/mod.ts";
import type { LogFn } from "../../../core/plugin/types.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { DatagramStream } from "../../../core/streams/mod.ts";
import { SegmentWriter } from "./segment_writer.ts";

/** The stream to core on which datagrams of sessions come and go. */
export const datagramsProtocol = "core.datagrams";
/** Protocol of the streams that carry segments where nothing else can. */
export const segmentsProtocol = "tun.segments";

const idBytes = 16;
/** Streams of the mesh that carry segments, at most; a busy one stays, the oldest goes. */
const maxStreams = 256;
/** A peer that could not be reached is tried again after so long. */
const retryMs = 2_000;

export interface SessionCarrierOptions {
  /** The stream to core; opened again when it ends. @throws {PulseError} */
  openDatagrams(): Promise<ByteStream>;
  /** A stream to a peer. @throws {PulseError} */
  openSegments(peer: NodeId): Promise<ByteStream>;
  /** Whether there is a session with a node. */
  linked(id: NodeId): boolean;
  /** A segment has come; its bytes are valid until this returns. */
  deliver(from: NodeId, bytes: Uint8Array): void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: LogFn;
}

interface Way {
  readonly writer: SegmentWriter | undefined;
  readonly stream: ByteStream | undefined;
  readonly retryAt: number;
}

/** Carries segments where there is no data port: in datagrams of a session, or on a stream through whatever lies between. */
export class SessionCarrier implements Disposable {
  readonly #options: SessionCarrierOptions;
  readonly #ways = new Map<NodeId, Way>();
  #datagrams: Way | undefined;
  #dropped = 0;
  #disposed = false;

  constructor(options: SessionCarrierOptions) {
    this.#options = options;
    // So that what neighbours send is heard before anything is sent.
    this.#openDatagrams();
  }

  /** Segments that were not carried since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends a segment; the bytes are the carrier's from then on. */
  send(to: NodeId, bytes: Uint8Array): void {
    const direct = this.#options.linked(to);
    const way = direct ? this.#core() : this.#stream(to);
    const payload = direct ? withId(to, bytes) : bytes;
    if (way.writer?.push(payload) !== true) this.#dropped++;
  }

  /** Serves a stream that a peer has opened. Never rejects. */
  async accept(stream: ByteStream, from: NodeId): Promise<void> {
    await this.#read(stream, (bytes) => this.#options.deliver(from, bytes));
  }

  /** Streams to nodes that are no peers any more are ended. */
  keep(isPeer: (id: NodeId) => boolean): void {
    for (const [id, { stream }] of this.#ways) {
      if (isPeer(id)) continue;
      stream?.reset();
      this.#ways.delete(id);
    }
  }

  /** Sees to it that there is a stream to core, when one is due. */
  tick(): void {
    this.#core();
  }

  #core(): Way {
    const way = this.#datagrams!;
    if (way.writer === undefined && this.#options.now() >= way.retryAt) this.#openDatagrams();
    return this.#datagrams!;
  }

  #openDatagrams(): void {
    const { openDatagrams, deliver } = this.#options;
    const set = (way: Way) => void (this.#datagrams = way);
    this.#open("", openDatagrams, set, (bytes) => {
      if (bytes.length <= idBytes) return;
      deliver(bytes.subarray(0, idBytes).toHex(), bytes.subarray(idBytes));
    });
  }

  #stream(to: NodeId): Way {
    const way = this.#ways.get(to);
    if (way !== undefined && (way.writer !== undefined || this.#options.now() < way.retryAt)) {
      return way;
    }
    if (way === undefined && this.#ways.size >= maxStreams) {
      const [oldest, { stream }] = this.#ways.entries().next().value!;
      stream?.reset();
      this.#ways.delete(oldest);
    }
    const set = (next: Way) => void (this.#disposed || this.#ways.set(to, next));
    // The other way round the peer opens one of its own.
    this.#open(to, () => this.#options.openSegments(to), set, () => {});
    return this.#ways.get(to)!;
  }

  /** Begins to open; until there is a stream, and after it has ended, nothing can be sent. */
  #open(
    to: NodeId,
    open: () => Promise<ByteStream>,
    set: (way: Way) => void,
    take: (bytes: Uint8Array) => void,
  ): void {
    const { now, log } = this.#options;
    const wait = () => set({ writer: undefined, stream: undefined, retryAt: now() + retryMs });
    set({ writer: undefined, stream: undefined, retryAt: Infinity });
    void (async () => {
      try {
        const stream = await open();
        if (this.#disposed) return stream.reset();
        set({ writer: new SegmentWriter(stream), stream, retryAt: 0 });
        await this.#read(stream, take);
      } catch (error) {
        log("debug", "segments cannot be carried", { peer: to, error: errorText(error) });
      }
      wait();
    })();
  }

  async #read(stream: ByteStream, take: (bytes: Uint8Array) => void): Promise<void> {
    const messages = new DatagramStream(stream);
    try {
      for (;;) {
        const bytes = await messages.receive();
        if (bytes === null || this.#disposed) break;
        take(bytes);
      }
    } catch (error) {
      this.#options.log("debug", "a stream of segments has ended", { error: errorText(error) });
    }
    stream.reset();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#datagrams?.stream?.reset();
    for (const { stream } of this.#ways.values()) stream?.reset();
    this.#ways.clear();
  }
}

function withId(id: NodeId, bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(idBytes + bytes.length);
  frame.set(Uint8Array.fromHex(id));
  frame.set(bytes, idBytes);
  return frame;
}
