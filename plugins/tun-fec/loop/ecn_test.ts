import assert from "node:assert/strict";
import { makePacket } from "../packet/testing.ts";
import { IpPacket } from "../packet/ip_packet.ts";
import { fold, sumWords } from "../super_packet/checksum.ts";
import { decapsulatedEcn, ecn, writeEcn } from "./ecn.ts";

Deno.test("the way out of a tunnel is figure 4 of RFC 6040", () => {
  const { not, ect0, ect1, ce } = ecn;
  const outers = [not, ect0, ect1, ce];
  const table = [[not, [not, not, not, -1]], [ect0, [ect0, ect0, ect1, ce]], [ect1, [
    ect1,
    ect1,
    ect1,
    ce,
  ]], [ce, [ce, ce, ce, ce]]] as const;
  for (const [inner, expected] of table) {
    assert.deepEqual(outers.map((outer) => decapsulatedEcn(inner, outer)), expected, `${inner}`);
  }
});

Deno.test("a changed mark changes nothing else, and the checksum is right again", () => {
  const families = [["10.0.0.1", "10.0.0.2"], ["fd00::1", "fd00::2"]] as const;
  for (const [source, destination] of families) {
    for (let from = 0; from < 256; from++) {
      const fields = { source, destination, protocol: "udp" } as const;
      const bytes = makePacket({ ...fields, trafficClass: from });
      const view = new DataView(bytes.buffer);
      const packet = new IpPacket();
      packet.parse(view, 0, bytes.length);
      writeEcn(view, 0, packet, ecn.ce);
      const expected = makePacket({ ...fields, trafficClass: from | ecn.ce });
      if (packet.version === 4) assert.equal(fold(sumWords(view, 0, 20)), 0xffff);
      assert.equal(bytes.toHex(), expected.toHex(), `${from}`);
    }
  }
});
