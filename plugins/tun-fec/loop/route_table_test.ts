import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePrefix } from "../filter/prefix.ts";
import { RouteTable } from "./route_table.ts";

const address = (text: string) => Uint32Array.from(parsePrefix(text).network);
const table = (...routes: readonly string[]) =>
  new RouteTable(routes.map((text) => ({ prefix: parsePrefix(text), value: text })));

Deno.test("the longest prefix has the address, of either family", () => {
  const routes = table("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "0.0.0.0/0", "fd00::/16");
  const expected = [
    ["10.9.9.9", "10.0.0.0/8"],
    ["10.1.9.9", "10.1.0.0/16"],
    ["10.1.2.3", "10.1.2.3/32"],
    ["192.0.2.1", "0.0.0.0/0"],
    ["fd00::1", "fd00::/16"],
  ] as const;
  for (const [text, value] of expected) assert.equal(routes.lookup(address(text)), value);
  assert.equal(routes.lookup(address("fe00::1")), undefined);
});

Deno.test("a default route of one family is none of the other", () => {
  assert.equal(table("::/0").lookup(address("192.0.2.1")), undefined);
  assert.equal(table("0.0.0.0/0").lookup(address("2001:db8::1")), undefined);
  assert.equal(table("::/0").lookup(address("2001:db8::1")), "::/0");
});

Deno.test("of two equal prefixes the first counts, and an empty table has nothing", () => {
  const routes = new RouteTable([
    { prefix: parsePrefix("10.0.0.0/8"), value: 1 },
    { prefix: parsePrefix("10.0.0.0/8"), value: 2 },
  ]);
  assert.equal(routes.lookup(address("10.1.1.1")), 1);
  assert.equal(table().lookup(address("10.1.1.1")), undefined);
});

Deno.test("it agrees with a search through all prefixes", () => {
  const word = fc.constantFrom(0, 1, 0xffff, 0x8000_0000, 0xffff_ffff);
  const words = fc.tuple(word, word, word, word);
  const route = fc.record({ words, bits: fc.integer({ min: 0, max: 128 }) });
  const masked = ({ words, bits }: { words: readonly number[]; bits: number }) =>
    words.map((one, i) => {
      const left = Math.min(32, Math.max(0, bits - i * 32));
      const mask = left === 0 ? 0 : 0xffff_ffff << (32 - left) >>> 0;
      return { mask, network: (one & mask) >>> 0 };
    });
  fc.assert(fc.property(fc.array(route, { maxLength: 60 }), fc.array(words), (list, asked) => {
    const routes = new RouteTable(list.map((one, value) => ({
      value,
      prefix: {
        network: masked(one).map(({ network }) => network) as [number, number, number, number],
        mask: masked(one).map(({ mask }) => mask) as [number, number, number, number],
      },
    })));
    for (const to of asked) {
      let best: number | undefined;
      for (const [value, one] of list.entries()) {
        const mapped = to[0] === 0 && to[1] === 0 && to[2] === 0xffff;
        const within = !(mapped && one.bits < 96) &&
          masked(one).every(({ mask, network }, i) => (to[i]! & mask) >>> 0 === network);
        if (within && (best === undefined || one.bits > list[best]!.bits)) best = value;
      }
      assert.equal(routes.lookup(Uint32Array.from(to)), best);
    }
  }));
});
