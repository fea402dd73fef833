import { PulseError } from "../../core/errors/mod.ts";
import { underlayMark } from "../../core/exits/mod.ts";
import { Arena } from "../../ffi/libc/arena.ts";
import { EventFd } from "../../ffi/libc/event_fd.ts";
import type { FfiError } from "../../ffi/libc/errors.ts";
import type { Libc } from "../../ffi/libc/libc.ts";
import type { TunQueue } from "../../ffi/tun/tun.ts";
import { sharePort } from "../../ffi/udp/shared_port.ts";
import type { SocketAddress } from "../../ffi/udp/socket_address.ts";
import { UdpSocket } from "../../ffi/udp/udp_socket.ts";
import type { LoopCommand, LoopEvent } from "./loop/types.ts";
import { ended, lifeSignMs, loaded, type LoopSetup } from "./native/loop_setup.ts";
import { magic } from "./wire/segment.ts";

/** Bytes of each of the socket's buffers: what a bulk flow fills in some milliseconds. */
const socketBuffer = 8 << 20;
/** A loop that was told to stop has ended after this, or is ended by force. */
const stopMs = 5_000;

export interface StartLoopOptions {
  readonly libc: Libc;
  readonly tun: { readonly name: string; readonly queues: readonly Pick<TunQueue, "fd">[] };
  /** Where QUIC is bound; null without QUIC. */
  readonly quic: SocketAddress | null;
  /** Whether the data port is to be QUIC's, where that can be. */
  readonly share: boolean;
  /** The data port where it is not QUIC's. @default {0} any */
  readonly port?: number;
  readonly heard: (event: LoopEvent) => void;
  /** The Worker's module, which calls `serveLoop()`. @default the packet loop */
  readonly entry?: URL;
}

/** A packet loop in a Worker of its own. */
export class NativeLoop implements AsyncDisposable {
  /** UDP port; 0 where it is QUIC's. */
  readonly port: number;
  /** Why it is not QUIC's, when it was to be. */
  readonly unshared: FfiError | undefined;
  readonly #socket: UdpSocket;
  readonly #arena: Arena;
  readonly #wake: EventFd;
  readonly #worker: Worker;
  readonly #commands: MessagePort;
  #forWorker: MessagePort | undefined;
  readonly #lifeSigns: ReturnType<typeof setInterval>;
  readonly #ended = Promise.withResolvers<void>();

  /**
   * Opens the data port and starts the loop, in the network namespace of the calling thread. The loop says `ready` when it can
   * be told something, and `failed` when it ends by itself.
   *
   * @throws {FfiError} FFI_SYSCALL there is no port to be had; PulseError TUN_LOOP the Worker may not be started
   */
  constructor({ libc, tun, quic, share, port = 0, heard, entry }: StartLoopOptions) {
    using stack = new DisposableStack();
    const data = openDataPort(libc, quic, share, port);
    this.#socket = stack.use(data.socket);
    this.unshared = data.unshared;
    this.port = data.shared ? 0 : data.socket.address.port;
    this.#arena = stack.use(new Arena(libc, 4096));
    this.#wake = stack.use(new EventFd(libc, this.#arena));
    this.#worker = startWorker(entry ?? new URL("./worker.ts", import.meta.url), tun.name);
    stack.move();
    this.#lifeSigns = setInterval(() => this.#wake.signal(), lifeSignMs);
    const channel = new MessageChannel();
    this.#commands = channel.port1;
    this.#forWorker = channel.port2;
    this.#worker.onmessage = ({ data }: MessageEvent<LoopEvent | typeof loaded | typeof ended>) => {
      if (data === ended) this.#ended.resolve();
      else if (data === loaded) this.#hand(tun.queues.map((queue) => queue.fd));
      else heard(data);
    };
    this.#worker.onerror = (event) => {
      // The default is to end the process with it.
      event.preventDefault();
      this.#ended.resolve();
      heard({ say: "failed", error: event.message });
    };
  }

  /** The Worker's end of the channel is the Worker's as soon as there is one. */
  #hand(queues: readonly number[]): void {
    const port = this.#forWorker;
    if (port === undefined) return;
    this.#forWorker = undefined;
    const { fd, family, segmentation } = this.#socket;
    const socket = { fd, family, segmentation };
    const setup: LoopSetup = { queues, socket, wake: this.#wake.fd };
    this.#worker.postMessage(setup, [port]);
  }

  /** Never waits: commands are carried out in their order, when the loop has woken. */
  tell(...commands: readonly LoopCommand[]): void {
    for (const command of commands) this.#commands.postMessage(command);
    this.#wake.signal();
  }

  /** Ends the loop, then closes the data port. The interface stays with its owner. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.tell({ do: "stop" });
    const timer = setTimeout(() => this.#ended.resolve(), stopMs);
    await this.#ended.promise;
    clearTimeout(timer);
    clearInterval(this.#lifeSigns);
    this.#worker.terminate();
    this.#commands.close();
    this.#forWorker?.close();
    this.#wake[Symbol.dispose]();
    this.#arena[Symbol.dispose]();
    this.#socket[Symbol.dispose]();
  }
}

interface DataPort {
  readonly socket: UdpSocket;
  readonly shared: boolean;
  readonly unshared: FfiError | undefined;
}

function openDataPort(
  libc: Libc,
  quic: SocketAddress | null,
  share: boolean,
  port: number,
): DataPort {
  const rest = { bufferBytes: socketBuffer, pathMtu: "probe", mark: underlayMark } as const;
  if (quic === null || !share) {
    const address = quic?.address ?? "0.0.0.0";
    const socket = UdpSocket.bind(libc, { ...rest, address, port });
    return { socket, shared: false, unshared: undefined };
  }
  const steering = { value: magic * 256, mask: 0xffff_ff00 };
  const shared = sharePort(libc, { ...rest, with: quic, steering, fallbackPort: port });
  const { socket } = shared;
  return { socket, shared: shared.shared, unshared: shared.shared ? undefined : shared.reason };
}

/** @throws {PulseError} TUN_LOOP */
function startWorker(entry: URL, name: string): Worker {
  try {
    return new Worker(entry, {
      type: "module",
      name: `packets of ${name}`,
      deno: {
        permissions: {
          ffi: true,
          env: false,
          import: false,
          net: false,
          read: false,
          run: false,
          sys: false,
          write: false,
        },
      },
    });
  } catch (cause) {
    throw new PulseError(
      "TUN_LOOP",
      "The packet loop may not be started: the program lacks the ffi permission, or may not read its own files",
      {},
      cause,
    );
  }
}
