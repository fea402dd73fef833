import assert from "node:assert/strict";
import fc from "fast-check";
import { ipToBytes, ipToText, parseIpv4, parseIpv6 } from "./ip_text.ts";

Deno.test("IPv6 text is canonical", () => {
  const cases: [string, string][] = [
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["fd00:0:0:1:0:0:0:1", "fd00:0:0:1::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ];
  for (const [text, canonical] of cases) assert.equal(ipToText(parseIpv6(text)!), canonical);
});

Deno.test("text and bytes agree with the URL parser for every address", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(0xffff), (b, m) => {
    const bytes = b.map((value, i) => (m >> (i & ~1)) & 1 ? value : 0);
    const text = ipToText(bytes);
    assert.deepEqual(ipToBytes(text), new Uint8Array(bytes));
    assert.equal(new URL(`http://[${text}]`).hostname, `[${text}]`);
  }));
  fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
    assert.deepEqual(ipToBytes(ipToText(bytes)), new Uint8Array(bytes));
  }));
});

Deno.test("what is not an address is refused", () => {
  for (const text of ["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", " 1.2.3.4", "1.2.3.4\n"]) {
    assert.equal(parseIpv4(text), null, text);
  }
  const bad = ["", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::", "12345::"];
  for (const text of [...bad, "::1%eth0", "::1.2.3.4", "1:2:3:4:5:6:7::8", ":1:2:3:4:5:6:7"]) {
    assert.equal(parseIpv6(text), null, text);
  }
  assert.throws(() => ipToBytes("example"), { code: "MESH_ADDRESS_INVALID" });
});
