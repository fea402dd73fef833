import assert from "node:assert/strict";
import { Arena } from "../libc/arena.ts";
import { FfiError } from "../libc/errors.ts";
import { Libc } from "../libc/libc.ts";
import {
  AddressSlot,
  decodeSocketAddress,
  encodeSocketAddress,
  LocalAddress,
  type SocketAddress,
} from "./socket_address.ts";

const ends: readonly SocketAddress[] = [
  { address: "10.0.0.1", port: 1 },
  { address: "fd00::1", port: 65_535 },
  { address: "fe80::1", port: 443, scopeId: 3 },
  { address: "::", port: 0 },
  { address: "0.0.0.0", port: 7 },
];

Deno.test("addresses survive encoding, IPv4 ones on either kind of socket", () => {
  for (const end of ends) {
    assert.deepEqual(decodeSocketAddress(encodeSocketAddress("ipv6", end)), end);
    if (end.address.includes(":")) continue;
    assert.deepEqual(decodeSocketAddress(encodeSocketAddress("ipv4", end)), end);
  }
});

Deno.test("what is no address of the family is refused", () => {
  const refused = (family: "ipv4" | "ipv6", end: SocketAddress) =>
    assert.throws(() => encodeSocketAddress(family, end), FfiError);
  refused("ipv4", { address: "fd00::1", port: 1 });
  refused("ipv6", { address: "example.com", port: 1 });
  refused("ipv4", { address: "10.0.0.1", port: 65_536 });
  refused("ipv4", { address: "10.0.0.1", port: -1 });
  refused("ipv4", { address: "10.0.0.1", port: 1.5 });
});

Deno.test("what is cut off or of another family decodes to nothing", () => {
  const whole = encodeSocketAddress("ipv6", { address: "fd00::1", port: 1 });
  for (const length of [0, 2, 15, 27]) {
    assert.equal(decodeSocketAddress(whole.subarray(0, length)), undefined);
  }
  assert.equal(decodeSocketAddress(new Uint8Array(28)), undefined);
});

Deno.test("slots compare by address, port and scope", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  for (const family of ["ipv4", "ipv6"] as const) {
    const [a, b] = [new AddressSlot(arena, family), new AddressSlot(arena, family)];
    assert.equal(a.get(), undefined);
    a.set({ address: "10.0.0.1", port: 5 });
    assert.equal(a.isIpv4, true);
    assert.equal(a.equals(b), false);
    b.copyFrom(a);
    assert.equal(a.equals(b), true);
    assert.deepEqual(b.get(), { address: "10.0.0.1", port: 5 });
    b.set({ address: "10.0.0.1", port: 6 });
    assert.equal(a.equals(b), false);
    b.set({ address: "10.0.0.2", port: 5 });
    assert.equal(a.equals(b), false);
  }
  const [a, b] = [new AddressSlot(arena, "ipv6"), new AddressSlot(arena, "ipv6")];
  a.set({ address: "fe80::1", port: 5, scopeId: 2 });
  b.set({ address: "fe80::1", port: 5, scopeId: 3 });
  assert.deepEqual([a.equals(b), a.isIpv4], [false, false]);
  assert.throws(() => a.equals(new AddressSlot(arena, "ipv4")), FfiError);
});

Deno.test("a local address is unknown until it is set", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  const [a, b] = [new LocalAddress(arena), new LocalAddress(arena)];
  assert.equal(a.get(), undefined);
  a.set("10.0.0.1", 4);
  b.copyFrom(a);
  assert.deepEqual(b.get(), { address: "10.0.0.1", interfaceIndex: 4 });
  a.clear();
  assert.equal(a.get(), undefined);
});
