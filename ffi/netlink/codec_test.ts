import assert from "node:assert/strict";
import fc from "fast-check";
import { FfiError } from "../libc/errors.ts";
import {
  attribute,
  AttributeMap,
  be32,
  joinBytes,
  nested,
  readAttributes,
  text,
  u32,
  u8,
} from "./attributes.ts";
import { readInterfaceAddress } from "./interface_addresses.ts";
import { readLink } from "./links.ts";
import { encodeMessage, Flag, readMessages, readVerdict } from "./message.ts";
import { parsePrefix, prefixText } from "./prefix.ts";
import { encodeRoute, readRoute } from "./routes.ts";
import { encodeRule, readRule, type Rule } from "./rules.ts";

const attributes = fc.array(
  fc.tuple(fc.nat(0x3fff), fc.uint8Array({ maxLength: 40 })).map(([type, value]) => ({
    type,
    value,
  })),
  { maxLength: 8 },
);

/** Everything that reads what the kernel says, given a message's body. */
const readers = [
  readVerdict,
  readLink,
  readInterfaceAddress,
  readRoute,
  readRule,
] as const;

Deno.test("attributes read back as they were written, nested ones too", () => {
  fc.assert(fc.property(attributes, (list) => {
    const bytes = joinBytes(list.map(({ type, value }) => attribute(type, value)));
    assert.equal(bytes.length % 4, 0);
    assert.deepEqual(readAttributes(bytes), list);
    const [outer] = readAttributes(nested(5, [bytes]));
    assert.equal(outer?.type, 5);
    assert.deepEqual(readAttributes(outer.value), list);
  }));
});

Deno.test("the bytes of an attribute are those of netlink(7)", () => {
  assert.equal(attribute(3, text("lo")).toHex(), "07000300" + "6c6f0000");
  assert.equal(nested(4, [attribute(1, be32(4))]).toHex(), "0c000480" + "08000100" + "00000004");
});

Deno.test("values are found by type, in the order of bytes that is asked for", () => {
  const map = new AttributeMap(joinBytes([
    attribute(1, u32(7)),
    attribute(2, be32(8)),
    attribute(3, text("name")),
    attribute(4, new TextEncoder().encode("no zero")),
    nested(5, [attribute(1, u8(1))]),
    attribute(1, u32(9)),
  ]));
  assert.deepEqual([map.u32(1), map.be32(2), map.text(3)], [9, 8, "name"]);
  assert.deepEqual([map.text(4), map.nested(5)?.bytes(1)], ["no zero", u8(1)]);
  assert.deepEqual([map.u32(6), map.text(6), map.nested(6)], [undefined, undefined, undefined]);
  assert.throws(() => map.nested(5)?.u32(1), /a netlink number of 4 bytes has 1/);
});

Deno.test("lengths that cannot be are refused, and an attribute too long is not written", () => {
  for (const hex of ["03000100", "0800010000", "ffff0100" + "00000000"]) {
    assert.throws(() => readAttributes(Uint8Array.fromHex(hex)), /a netlink attribute says/);
  }
  assert.throws(() => attribute(1, new Uint8Array(65_533)), FfiError);
  for (const length of [15, 33, 2 ** 31]) {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, length, true);
    assert.throws(() => readMessages(bytes), /a netlink message says/);
  }
});

Deno.test("messages read back as they were written, several in one datagram", () => {
  const u16 = fc.nat(0xffff);
  const message = fc.tuple(u16, u16, fc.nat(), fc.uint8Array({ maxLength: 50 }))
    .map(([type, flags, sequence, body]) => ({ type, flags, sequence, body }));
  fc.assert(fc.property(fc.array(message, { maxLength: 5 }), (list) => {
    const bytes = joinBytes(list.map((each) => encodeMessage(each, [each.body])));
    assert.deepEqual(readMessages(bytes), list);
  }));
});

Deno.test("a verdict gives the number and the kernel's words, whether the request is repeated or not", () => {
  const header = new Uint8Array(16);
  new DataView(header.buffer).setUint32(0, 20, true);
  const minus22 = u32(-22 >>> 0);
  const words = attribute(1, text("Invalid argument for you"));
  const answer = (flags: number, type: number, ...body: Uint8Array[]) =>
    readVerdict({ type, flags, sequence: 1, body: joinBytes(body) });
  const expected = { errno: 22, text: "Invalid argument for you" };
  assert.deepEqual(answer(0x300, 2, minus22, header, words), expected);
  assert.deepEqual(answer(0x200, 2, minus22, header, new Uint8Array(4), words), expected);
  assert.deepEqual(answer(0x200, 3, minus22, words), expected);
  assert.deepEqual(answer(0, 2, minus22, header), { errno: 22, text: "" });
  assert.deepEqual(answer(0, 3), { errno: 0, text: "" });
  assert.throws(() => answer(0, 2), FfiError);
});

Deno.test("what a reader is given, it reads or refuses with a typed error", () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    // A plausible header with plausible attributes behind it goes deeper.
    fc.tuple(fc.constantFrom(2, 10), fc.uint8Array({ minLength: 15, maxLength: 15 }), attributes)
      .map(([family, rest, list]) =>
        joinBytes([
          u8(family),
          rest.subarray(0, list.length % 2 === 0 ? 11 : 15),
          ...list.map(({ type, value }) => attribute(type % 64, value)),
        ])
      ),
  );
  const allowed = (act: () => unknown) => {
    try {
      act();
    } catch (error) {
      assert.ok(error instanceof FfiError && error.code === "FFI_MESSAGE", String(error));
    }
  };
  fc.assert(
    fc.property(body, fc.nat(0xffff), fc.constantFrom(2, 3, 16), (bytes, flags, type) => {
      for (const read of readers) allowed(() => read({ type, flags, sequence: 1, body: bytes }));
      allowed(() => readMessages(bytes));
      allowed(() => readAttributes(bytes));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("networks are read and written as people do", () => {
  for (const cidr of ["10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "::1/128"]) {
    const { family, address, length } = parsePrefix(cidr);
    assert.equal(prefixText(family, address, length), cidr);
  }
  assert.equal(parsePrefix("10.0.0.1").length, 32);
  assert.equal(prefixText("ipv6", undefined, 0), "::/0");
  for (const bad of ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "x/8", "10.0.0.0/1e1"]) {
    assert.throws(() => parsePrefix(bad), FfiError, bad);
  }
});

Deno.test("a route reads back as it was written", () => {
  const spec = {
    destination: "10.0.0.0/8",
    gateway: "10.1.0.1",
    device: 3,
    metric: 50,
    table: 5000,
    source: "10.1.0.2",
    type: "unicast" as const,
    protocol: 4,
    mtu: 1400,
  };
  const read = (route: Parameters<typeof encodeRoute>[0]) =>
    readRoute({ type: 24, flags: Flag.create, sequence: 1, body: joinBytes(encodeRoute(route)) });
  assert.deepEqual(read(spec), { family: "ipv4", ...spec });
  assert.deepEqual(read({ destination: "::/0", device: 2, type: "unreachable" }), {
    family: "ipv6",
    destination: "::/0",
    device: 2,
    metric: 0,
    table: 254,
    type: "unreachable",
    protocol: 4,
  });
  assert.throws(
    () => read({ destination: "10.0.0.0/8", gateway: "fd00::1" }),
    /different families/,
  );
});

Deno.test("a routing rule reads back as it was written", () => {
  const rules: Rule[] = [
    { family: "ipv4", priority: 100, action: "table", table: 5000, mark: 7, mask: 0xff },
    { family: "ipv6", priority: 5, action: "unreachable", from: "fd00::/8", to: "fd01::/16" },
    {
      family: "ipv4",
      priority: 9,
      action: "table",
      table: 254,
      suppressPrefixLength: 0,
      inputDevice: "lo",
      outputDevice: "mesh0",
      invert: true,
    },
  ];
  for (const rule of rules) {
    const body = joinBytes(encodeRule(rule));
    assert.deepEqual(readRule({ type: 32, flags: 0, sequence: 1, body }), rule);
  }
  assert.throws(() => encodeRule({ family: "ipv4", priority: 1, from: "fd00::/8" }), FfiError);
});
