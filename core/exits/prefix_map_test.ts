import assert from "node:assert/strict";
import fc from "fast-check";
import { type Cidr, contains, maskBytes } from "../address/mod.ts";
import { PrefixMap } from "./prefix_map.ts";

/** So few different bytes that ranges lie in each other all the time. */
const anyAddress = fc.constantFrom(4, 16).chain((length) =>
  fc.uint8Array({ minLength: length, maxLength: length, max: 3 })
);
const anyCidr: fc.Arbitrary<Cidr> = anyAddress.chain((address) =>
  fc.nat(address.length * 8).map((prefix) => ({ bytes: maskBytes(address, prefix), prefix }))
);

Deno.test("the longest prefix that holds an address decides, in both families", () => {
  fc.assert(
    fc.property(fc.array(anyCidr, { maxLength: 20 }), anyAddress, (cidrs, address) => {
      const map = new PrefixMap<Cidr>();
      for (const cidr of cidrs) map.set(cidr, cidr);
      const holding = cidrs.filter((cidr) => contains(cidr, address));
      const longest = Math.max(-1, ...holding.map(({ prefix }) => prefix));
      assert.equal(map.find(address)?.prefix ?? -1, longest);
    }),
  );
});

Deno.test("a second value for the same range takes the first one's place", () => {
  const map = new PrefixMap<string>();
  const cidr = { bytes: Uint8Array.of(10, 0, 0, 0), prefix: 8 };
  map.set(cidr, "first");
  map.set({ ...cidr }, "second");
  assert.equal(map.find(Uint8Array.of(10, 1, 2, 3)), "second");
});
