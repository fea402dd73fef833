import { parseHostPort } from "../../../core/address/mod.ts";
import type { LogFn } from "../../../core/plugin/types.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import type { TunConfig } from "../config.ts";
import { TunInterface } from "../interface/tun_interface.ts";
import { NativeLoop } from "../start_loop.ts";
import type { TunnelInterface, TunnelParts } from "./packet_tunnel.ts";

/** The kernel's interface, with the library that it was made by. */
interface SystemInterface extends TunnelInterface {
  readonly queues: TunInterface["queues"];
  readonly libc: Libc;
}

/** The parts of a real tunnel: an interface of the kernel's, and a loop in a thread of its own. */
export function systemParts({ name, queues }: TunConfig, log: LogFn): TunnelParts<SystemInterface> {
  return {
    openInterface() {
      using stack = new DisposableStack();
      const libc = stack.use(Libc.open());
      const link = stack.use(TunInterface.open(libc, name, log, queues));
      const all = stack.move();
      return {
        name: link.name,
        queues: link.queues,
        libc,
        apply: (wanted) => link.apply(wanted),
        [Symbol.dispose]: () => all.dispose(),
      };
    },
    startLoop(tun, quic, share, heard) {
      const loop = new NativeLoop({ libc: tun.libc, tun, quic: quicAddress(quic), share, heard });
      if (loop.unshared !== undefined) {
        log("warn", "QUIC's port cannot be shared here: packets get a port of their own", {
          port: loop.port,
          error: loop.unshared.message,
        });
      }
      return Promise.resolve(loop);
    },
  };
}

function quicAddress(quic: string | null) {
  if (quic === null) return null;
  const { host, port } = parseHostPort(quic);
  return { address: host, port };
}
