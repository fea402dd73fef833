import type { LogFn } from "../../../core/plugin/types.ts";
import { errorText } from "../../../core/errors/mod.ts";
import type { Libc } from "../../../ffi/libc/libc.ts";
import {
  addAddress,
  deleteAddress,
  listAddresses,
} from "../../../ffi/netlink/interface_addresses.ts";
import { changeLink, findLink } from "../../../ffi/netlink/links.ts";
import { NetlinkSocket } from "../../../ffi/netlink/netlink_socket.ts";
import { addRoute, deleteRoute, listRoutes, MAIN_TABLE } from "../../../ffi/netlink/routes.ts";
import { FfiError } from "../../../ffi/libc/errors.ts";
import { Tun } from "../../../ffi/tun/tun.ts";
import type { WantedState } from "./wanted_state.ts";

/** Bytes of a packet inside: what is left of 1500 outside, with headers of IPv6 and UDP and a segment's own. */
export const interfaceMtu = 1_420;
/** Packets that wait for the loop. */
const txQueueLength = 1_000;
/** Bytes of the largest packet that crosses whole: sealed in segments of the smallest path it still leaves in one send. */
const gsoMaxSize = 62_000;

/** Routes the kernel makes by itself are of another protocol. */
const staticProtocol = 4;

/**
 * The interface packets of the mesh come and go by. Everything it is given goes with it, so that nothing has to be undone. It
 * speaks to the kernel of the network namespace it was opened in.
 */
export class TunInterface implements Disposable {
  /** As the kernel gave it. */
  readonly name: string;
  readonly queues: readonly Tun[];
  readonly #netlink: NetlinkSocket;
  readonly #index: number;
  readonly #log: LogFn;
  #applied = "";

  /** @throws {FfiError} FFI_SYSCALL, FFI_NETLINK no device or no right */
  static open(libc: Libc, name: string, log: LogFn, queueCount = 1): TunInterface {
    using stack = new DisposableStack();
    const queues = Tun.openQueues(libc, { name, takeOver: true }, queueCount);
    for (const queue of queues) stack.use(queue);
    const tun = queues[0]!;
    const netlink = stack.use(new NetlinkSocket(libc, "route"));
    const link = findLink(netlink, tun.name);
    if (link === undefined) {
      throw new FfiError("FFI_ARGUMENT", `the interface ${tun.name} has vanished again`);
    }
    changeLink(netlink, link.index, { mtu: interfaceMtu, txQueueLength, gsoMaxSize, up: true });
    stack.move();
    return new TunInterface(queues, netlink, link.index, log);
  }

  private constructor(
    queues: readonly Tun[],
    netlink: NetlinkSocket,
    index: number,
    log: LogFn,
  ) {
    this.name = queues[0]!.name;
    this.queues = queues;
    this.#netlink = netlink;
    this.#index = index;
    this.#log = log;
  }

  /** Makes the interface have exactly this; what cannot be had is said once and costs only itself. */
  apply(wanted: WantedState): void {
    const text = JSON.stringify(wanted);
    if (text === this.#applied) return;
    this.#applied = text;
    this.#addresses(wanted.addresses);
    this.#routes(wanted.routes);
  }

  #addresses(wanted: WantedState["addresses"]): void {
    const key = (of: { address: string; prefixLength: number }) =>
      `${of.address}/${of.prefixLength}`;
    const keep = new Set(wanted.map(key));
    const there = listAddresses(this.#netlink, this.#index).filter(({ address }) =>
      !address.startsWith("fe80:")
    );
    const have = new Set(there.map(key));
    // New ones first: a connection that may go on with another source finds one.
    for (const one of wanted) {
      if (have.has(key(one))) continue;
      const address = { index: this.#index, ...one };
      this.#try(() => addAddress(this.#netlink, address, { prefixRoute: false }));
    }
    for (const one of there) {
      if (!keep.has(key(one))) this.#try(() => deleteAddress(this.#netlink, one));
    }
  }

  #routes(wanted: readonly string[]): void {
    const device = this.#index;
    const there = listRoutes(this.#netlink, { table: MAIN_TABLE }).filter((route) =>
      route.device === device && route.protocol === staticProtocol
    );
    for (const { destination } of there) {
      if (wanted.includes(destination)) continue;
      this.#try(() => deleteRoute(this.#netlink, { destination, device }));
    }
    for (const destination of wanted) {
      if (there.some((route) => route.destination === destination)) continue;
      this.#try(() => addRoute(this.#netlink, { destination, device }));
    }
  }

  #try(change: () => void): void {
    try {
      change();
    } catch (error) {
      if (!(error instanceof FfiError)) throw error;
      this.#log("warn", "the interface could not be changed", {
        interface: this.name,
        error: errorText(error),
      });
    }
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
    for (const queue of this.queues) queue[Symbol.dispose]();
  }
}
