import assert from "node:assert/strict";
import fc from "fast-check";
import { Arena } from "../libc/arena.ts";
import { Libc } from "../libc/libc.ts";
import { CONTROL_ROOM, readControl, writeControl } from "./control_messages.ts";
import { AddressSlot, LocalAddress } from "./socket_address.ts";

Deno.test("what is written for a send fits its room and reads back where the kernel uses the same form", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  const at = arena.allocate(CONTROL_ROOM);
  const to = new AddressSlot(arena, "ipv6");
  const [source, local] = [new LocalAddress(arena), new LocalAddress(arena)];
  to.set({ address: "fd00::1", port: 1 });
  source.set("fd00::2", 7);
  const length = writeControl(arena, at, to, 1400, 0xb9, source);
  assert.equal(length, 24 + 24 + 40);
  const control = { segment: 0, tos: 0 };
  readControl(arena, at, length, control, local);
  assert.deepEqual(control, { segment: 0, tos: 0xb9 }); // UDP_SEGMENT is for sending only
  assert.deepEqual(local.get(), { address: "fd00::2", interfaceIndex: 7 });
  assert.equal(writeControl(arena, at, to, 0, 0, undefined), 0);
});

Deno.test("control messages that no kernel writes are skipped, and nothing outside is read", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  const local = new LocalAddress(arena);
  const at = arena.size - CONTROL_ROOM;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: CONTROL_ROOM }), fc.nat(40), (bytes, size) => {
      arena.bytes.set(bytes, at);
      // Lengths near the real ones go deeper than random ones.
      if (bytes.length >= 8) arena.view.setBigUint64(at, BigInt(size), true);
      readControl(arena, at, bytes.length, { segment: 0, tos: 0 }, local);
    }),
    { numRuns: 2000 },
  );
});
