import { formatHostPort, parseHostPort } from "../../../core/address/mod.ts";
import { FfiError } from "../../../ffi/libc/errors.ts";
import { AddressSlot } from "../../../ffi/udp/socket_address.ts";
import type { WireAddress } from "../loop/ports.ts";

/** An address where the kernel reads and writes it. */
export class NativeWireAddress implements WireAddress {
  readonly slot: AddressSlot;

  constructor(slot: AddressSlot) {
    this.slot = slot;
  }

  get text(): string {
    const address = this.slot.get();
    if (address === undefined) return "";
    return formatHostPort({ host: address.address, port: address.port });
  }

  get isIpv4(): boolean {
    return this.slot.isIpv4;
  }

  /** @throws {PulseError} ADDRESS_INVALID, FFI_ARGUMENT it cannot be reached from this socket */
  set(endpoint: string): void {
    const { host, port } = parseHostPort(endpoint);
    this.slot.set({ address: host, port });
  }

  equals(other: WireAddress): boolean {
    return this.slot.equals(slotOf(other));
  }

  copyFrom(other: WireAddress): void {
    this.slot.copyFrom(slotOf(other));
  }
}

/** @throws {FfiError} FFI_ARGUMENT the address is of another kind of port */
export function slotOf(address: WireAddress): AddressSlot {
  if (address instanceof NativeWireAddress) return address.slot;
  throw new FfiError("FFI_ARGUMENT", "the address was not handed out by this port");
}
