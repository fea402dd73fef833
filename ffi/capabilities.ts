import { Errno, errnoName } from "./libc/errno.ts";
import { FfiError } from "./libc/errors.ts";
import { cString, Libc } from "./libc/libc.ts";
import { Libcrypto } from "./libcrypto/libcrypto.ts";

/** CAP_NET_ADMIN of capabilities(7). */
const NET_ADMIN = 12;
/** O_RDWR | O_CLOEXEC */
const OPEN_FLAGS = 0x2 | 0x80000;

/** What is to be had of the system here. */
export interface NativeFacts {
  /** Why nothing native can be called at all: no permission, another system. */
  readonly libc?: FfiError;
  /** Why there is no libcrypto. */
  readonly libcrypto?: FfiError;
  /** Whether this process may change interfaces, routes and the packet filter. */
  readonly netAdmin: boolean;
  /** With what number `/dev/net/tun` cannot be opened; 0: it can. */
  readonly device: number;
}

/** Looks. Changes nothing and makes no interface. */
export function nativeFacts(): NativeFacts {
  try {
    using libc = Libc.open();
    return {
      netAdmin: libc.hasCapability(NET_ADMIN),
      device: tryDevice(libc),
      ...tryLibcrypto(libc),
    };
  } catch (error) {
    if (!(error instanceof FfiError)) throw error;
    return { libc: error, netAdmin: false, device: 0 };
  }
}

function tryDevice(libc: Libc): number {
  const fd = libc.calls.open(cString("/dev/net/tun"), OPEN_FLAGS);
  if (fd < 0) return libc.errno;
  libc.closeFile(fd);
  return 0;
}

function tryLibcrypto(libc: Libc): Pick<NativeFacts, "libcrypto"> {
  try {
    Libcrypto.open(libc)[Symbol.dispose]();
    return {};
  } catch (error) {
    if (!(error instanceof FfiError)) throw error;
    return { libcrypto: error };
  }
}

/**
 * What is missing for packets to be carried: a line each with what to do, and last what works all the same. Empty when nothing
 * is.
 */
export function missingForPackets(facts: NativeFacts): readonly string[] {
  const lines: string[] = [];
  if (facts.libc !== undefined) {
    lines.push(facts.libc.message);
  } else {
    if (!facts.netAdmin) {
      lines.push("the right to change the network is missing: run as root or with CAP_NET_ADMIN");
    }
    if (facts.device !== 0) lines.push(deviceLine(facts.device));
  }
  if (lines.length > 0) {
    lines.push(
      "without that there is no interface for packets, and no exit; connect, forward, SOCKS and DNS work all the same",
    );
  } else if (facts.libcrypto !== undefined) {
    lines.push(`${facts.libcrypto.message}; until then packets are carried, but slowly`);
  }
  return lines;
}

function deviceLine(errno: number): string {
  return errno === Errno.EPERM || errno === Errno.EACCES
    ? `/dev/net/tun may not be opened (${errnoName(errno)}): run as root, or allow the device`
    : `/dev/net/tun cannot be opened (${
      errnoName(errno)
    }): load the driver (modprobe tun), or give the ` +
      "container the device (--device /dev/net/tun)";
}
