import assert from "node:assert/strict";
import { meshIpv6 } from "../../core/identity/mesh_address.ts";
import { reverseName, ReverseZones } from "./reverse_zone.ts";

Deno.test("addresses have the names of RFC 1035 and RFC 3596", () => {
  assert.equal(reverseName("10.100.3.4"), "4.3.100.10.in-addr.arpa");
  assert.equal(
    reverseName("2001:db8::567:89ab"),
    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  );
});

Deno.test("a range is cut at octets, and nothing beside it is claimed", () => {
  const zones = new ReverseZones("10.100.16.0/20", "corp");
  assert.deepEqual(zones.find("1.17.100.10.in-addr.arpa"), {
    apex: "17.100.10.in-addr.arpa",
    whole: true,
  });
  assert.deepEqual(zones.find("31.100.10.in-addr.arpa"), {
    apex: "31.100.10.in-addr.arpa",
    whole: false,
  });
  for (
    const name of [
      "1.32.100.10.in-addr.arpa",
      "1.15.100.10.in-addr.arpa",
      "100.10.in-addr.arpa",
      "in-addr.arpa",
      "x.17.100.10.in-addr.arpa.example",
    ]
  ) assert.equal(zones.find(name), undefined, name);
  const wide = new ReverseZones("10.0.0.0/9", "corp");
  assert.equal(wide.find("1.2.127.10.in-addr.arpa")?.apex, "127.10.in-addr.arpa");
  assert.equal(wide.find("1.2.128.10.in-addr.arpa"), undefined);
});

Deno.test("the ULA of the network is the mesh's, another network's is not", () => {
  const zones = new ReverseZones("10.100.0.0/16", "corp");
  const name = reverseName(meshIpv6("corp", "ab".repeat(16)));
  const place = zones.find(name);
  assert.equal(place?.whole, true);
  assert.equal(place?.apex, name.slice(-"0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa".length));
  assert.equal(zones.find(place!.apex)?.whole, false);
  assert.equal(zones.find(reverseName(meshIpv6("other", "ab".repeat(16)))), undefined);
});
