import { Arena } from "../../../ffi/libc/arena.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { FfiError } from "../../../ffi/libc/errors.ts";
import { Aead } from "../../../ffi/libcrypto/aead.ts";
import { Libcrypto } from "../../../ffi/libcrypto/libcrypto.ts";
import type { DirectionKey } from "../keys/key_agreement.ts";
import type { LoopPorts, SegmentCipher } from "../loop/ports.ts";
import type { LoopEvent } from "../loop/types.ts";
import type { LoopSetup } from "./loop_setup.ts";
import { NodeCipher } from "./node_cipher.ts";
import { NativeTunPort } from "./tun_port.ts";
import { NativeWirePort } from "./wire_port.ts";

/** What the loop's rings and trains, the ports' own headers and all addresses take. */
const memoryBytes = 12 << 20;

/** Everything the loop stands on, over the system's own calls. One thread's. */
export class NativePorts implements LoopPorts, Disposable {
  readonly libc: Libc;
  readonly memory: Arena;
  readonly tun: NativeTunPort;
  readonly wire: NativeWirePort;
  readonly say: (event: LoopEvent) => void;
  /** Undefined where it is not installed. */
  readonly #libcrypto: Libcrypto | undefined;
  readonly #ciphers = new Set<Aead>();
  readonly #disposables: Disposable;

  /** @throws {FfiError} FFI_PERMISSION, FFI_LIBRARY, FFI_SYSCALL; without libcrypto it is only slower */
  constructor({ queues, socket }: LoopSetup, say: (event: LoopEvent) => void) {
    using stack = new DisposableStack();
    this.libc = stack.use(Libc.open());
    this.#libcrypto = stack.use(openLibcrypto(this.libc));
    this.memory = stack.use(new Arena(this.libc, memoryBytes));
    this.tun = new NativeTunPort(this.libc, this.memory, queues);
    this.wire = new NativeWirePort(this.libc, this.memory, socket);
    this.say = say;
    this.#disposables = stack.move();
  }

  cipher({ cipher, key }: DirectionKey): SegmentCipher {
    if (this.#libcrypto === undefined) return new NodeCipher(this.memory, { cipher, key });
    const aead = new Aead(this.#libcrypto, this.memory, cipher, key);
    this.#ciphers.add(aead);
    return {
      seal: (nonceAt, at, length, tagAt) => aead.seal(nonceAt, at, length, tagAt),
      open: (nonceAt, at, length, tagAt) => aead.open(nonceAt, at, length, tagAt),
      [Symbol.dispose]: () => {
        this.#ciphers.delete(aead);
        aead[Symbol.dispose]();
      },
    };
  }

  [Symbol.dispose](): void {
    for (const aead of this.#ciphers) aead[Symbol.dispose]();
    this.#disposables[Symbol.dispose]();
  }
}

function openLibcrypto(libc: Libc): Libcrypto | undefined {
  try {
    return Libcrypto.open(libc);
  } catch (error) {
    if (error instanceof FfiError && error.code === "FFI_LIBRARY") return undefined;
    throw error;
  }
}
