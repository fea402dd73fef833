import assert from "node:assert/strict";
import { Libc } from "../../../ffi/libc/libc.ts";
import { inNamespace } from "../../../ffi/testing.ts";
import { Lab, labTest } from "../../../tests/lab/mod.ts";
import { TunInterface } from "./tun_interface.ts";

labTest(
  "the interface takes addresses and routes, changes them under a running node, and takes all with it",
  { namespaces: true, tun: true },
  async () => {
    await using lab = await Lab.create();
    const namespace = await lab.node("a");
    using libc = Libc.open();
    const said: string[] = [];
    const tun = inNamespace(
      libc,
      namespace,
      () => TunInterface.open(libc, "pulse0", (_level, text) => void said.push(text)),
    );
    const show = async (...what: string[]) => await lab.exec("a", "ip", "-o", ...what);
    try {
      tun.apply({
        addresses: [
          { address: "10.100.0.1", prefixLength: 32 },
          { address: "fd12:3456:789a::1", prefixLength: 128 },
        ],
        routes: ["10.100.0.0/16", "fd12:3456:789a::/48"],
      });
      assert.match(await show("link", "show", "pulse0"), /<[^>]*UP[^>]*> mtu 1420 /);
      assert.match(await show("addr", "show", "pulse0"), /10\.100\.0\.1\/32/);
      assert.match(await show("addr", "show", "pulse0"), /fd12:3456:789a::1\/128/);
      assert.match(await show("route", "show", "10.100.0.0/16"), /dev pulse0/);
      assert.match(await show("-6", "route", "show", "fd12:3456:789a::/48"), /dev pulse0/);

      tun.apply({
        addresses: [
          { address: "10.100.0.2", prefixLength: 32 },
          { address: "172.20.0.9", prefixLength: 32 },
        ],
        routes: ["10.9.0.0/20", "192.0.2.7/32"],
      });
      const addresses = await show("addr", "show", "pulse0");
      assert.match(addresses, /172\.20\.0\.9\/32/);
      assert.match(addresses, /10\.100\.0\.2\/32/);
      assert.doesNotMatch(addresses, /10\.100\.0\.1|fd12/);
      const routes = await show("route", "show", "dev", "pulse0");
      assert.match(routes, /^10\.9\.0\.0\/20 .*\n192\.0\.2\.7 /);
      assert.doesNotMatch(routes, /10\.100/);
      assert.doesNotMatch(await show("-6", "route", "show"), /fd12/);
      assert.deepEqual(said, []);
    } finally {
      tun[Symbol.dispose]();
    }
    assert.doesNotMatch(await show("link", "show"), /pulse0/);
  },
);

labTest(
  "a route that somebody else has already is said, and the rest is applied",
  { namespaces: true, tun: true },
  async () => {
    await using lab = await Lab.create();
    const namespace = await lab.node("a");
    await lab.exec("a", "ip", "route", "add", "10.100.0.0/16", "dev", "lo");
    using libc = Libc.open();
    const said: string[] = [];
    using tun = inNamespace(
      libc,
      namespace,
      () => TunInterface.open(libc, "pulse0", (_level, text) => void said.push(text)),
    );
    tun.apply({ addresses: [], routes: ["10.100.0.0/16", "192.0.2.7/32"] });
    assert.deepEqual(said, ["the interface could not be changed"]);
    const routes = await lab.exec("a", "ip", "route");
    assert.match(routes, /10\.100\.0\.0\/16 dev lo/);
    assert.match(routes, /192\.0\.2\.7 dev pulse0/);
  },
);
