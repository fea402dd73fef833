import assert from "node:assert/strict";
import { Lab, labTest } from "../../tests/lab/mod.ts";
import { Errno } from "../libc/errno.ts";
import { FfiError } from "../libc/errors.ts";
import { Libc } from "../libc/libc.ts";
import { inNamespace } from "../testing.ts";
import { addAddress, deleteAddress, listAddresses } from "./interface_addresses.ts";
import { changeLink, findLink, listLinks } from "./links.ts";
import { findDefaultRoute, lookupRoute } from "./lookup_route.ts";
import { NetlinkSocket } from "./netlink_socket.ts";
import { addRoute, deleteRoute, listRoutes, replaceRoute } from "./routes.ts";
import { addRule, deleteRule, listRules, type Rule } from "./rules.ts";

const needs = { namespaces: true } as const;

/** A namespace with an interface `mesh0`, what iproute2 says about it, and a netlink socket in it. */
async function lab() {
  await using stack = new AsyncDisposableStack();
  const net = stack.use(await Lab.create());
  const namespace = await net.node("a");
  // Without addresses and routes of its own.
  await net.exec("a", "sysctl", "-qw", "net.ipv6.conf.default.addr_gen_mode=1");
  await net.exec("a", "ip", "link", "add", "mesh0", "type", "veth", "peer", "name", "peer0");
  await net.exec("a", "ip", "link", "set", "peer0", "up");
  const libc = stack.use(Libc.open());
  const netlink = stack.use(
    inNamespace(libc, namespace, () => new NetlinkSocket(libc, "route")),
  );
  const link = findLink(netlink, "mesh0");
  assert.ok(link !== undefined);
  const owned = stack.move();
  return {
    net,
    netlink,
    device: link.index,
    ip: async (...args: string[]) => JSON.parse(await net.exec("a", "ip", "-d", "-j", ...args)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const refused = (errno: number, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof FfiError && error.code === "FFI_NETLINK", String(error));
  assert.equal(error.errno, errno);
  assert.match(error.message, message);
  return true;
};

labTest("an interface is found, changed, and is what ip says it is", needs, async () => {
  await using here = await lab();
  const { netlink, device } = here;
  assert.equal(findLink(netlink, "mesh0")?.up, false);
  changeLink(netlink, device, { up: true, mtu: 1380, txQueueLength: 777, gsoMaxSize: 62_000 });
  const [said] = await here.ip("link", "show", "mesh0");
  assert.deepEqual(
    [said.mtu, said.txqlen, said.gso_max_size, said.flags.includes("UP")],
    [1380, 777, 62_000, true],
  );
  const link = findLink(netlink, "mesh0");
  assert.deepEqual(link, {
    index: said.ifindex,
    name: "mesh0",
    kind: "veth",
    up: true,
    loopback: false,
    mtu: 1380,
    txQueueLength: 777,
    gsoMaxSize: 62_000,
    // Kernels before 6.3 do not have it.
    gsoIpv4MaxSize: link?.gsoIpv4MaxSize === undefined ? undefined : 62_000,
  });
  const links = listLinks(netlink);
  assert.deepEqual(links.map(({ name }) => name).sort(), ["lo", "mesh0", "peer0"]);
  assert.equal(links.find(({ name }) => name === "lo")?.loopback, true);
  assert.equal(findLink(netlink, "mesh1"), undefined);
  // Only what is named changes.
  changeLink(netlink, device, { up: false });
  assert.deepEqual([findLink(netlink, "mesh0")?.mtu, findLink(netlink, "mesh0")?.up], [
    1380,
    false,
  ]);
  const gone = /cannot change the interface 9999: RTM_NEWLINK failed with ENODEV \(19\).*any more/;
  assert.throws(() => changeLink(netlink, 9999, { up: true }), refused(Errno.ENODEV, gone));
});

labTest("addresses come and go, with and without a route to their network", needs, async () => {
  await using here = await lab();
  const { netlink, device } = here;
  changeLink(netlink, device, { up: true });
  const v4 = { index: device, address: "100.64.0.1", prefixLength: 10 };
  const v6 = { index: device, address: "fd00::1", prefixLength: 64 };
  addAddress(netlink, v4);
  addAddress(netlink, v4); // the same again is no error
  addAddress(netlink, v6, { prefixRoute: false });
  assert.deepEqual(listAddresses(netlink, device), [v4, v6]);
  const [said] = await here.ip("address", "show", "mesh0");
  const brief = said.addr_info.map((a: { local: string; prefixlen: number }) => [
    a.local,
    a.prefixlen,
  ]);
  assert.deepEqual(brief, [["100.64.0.1", 10], ["fd00::1", 64]]);
  assert.equal(said.addr_info[1].nodad, true);
  const destinations = listRoutes(netlink, { table: 254 }).map((route) => route.destination);
  assert.deepEqual(destinations, ["100.64.0.0/10"]);
  assert.ok(listAddresses(netlink).some(({ address }) => address === "127.0.0.1"));
  deleteAddress(netlink, v4);
  deleteAddress(netlink, v6);
  assert.deepEqual(listAddresses(netlink, device), []);
  assert.throws(
    () => deleteAddress(netlink, v4),
    refused(99, /cannot delete the address 100\.64\.0\.1\/10 of interface/),
  );
});

labTest("routes of both families are added, replaced, listed and deleted", needs, async () => {
  await using here = await lab();
  const { netlink, device } = here;
  changeLink(netlink, device, { up: true });
  addAddress(netlink, { index: device, address: "10.1.0.1", prefixLength: 24 });
  addAddress(netlink, { index: device, address: "fd01::1", prefixLength: 64 });
  addRoute(netlink, { destination: "10.200.0.0/16", device });
  addRoute(netlink, { destination: "0.0.0.0/0", gateway: "10.1.0.2", metric: 50, mtu: 1300 });
  addRoute(netlink, { destination: "10.201.0.0/16", device, table: 5000, source: "10.1.0.1" });
  addRoute(netlink, { destination: "fd05::/16", gateway: "fd01::2", device });
  addRoute(netlink, { destination: "::/0", type: "unreachable", metric: 9, table: 5000 });
  addRoute(netlink, { destination: "10.9.0.0/16", type: "blackhole" });

  const main = await here.ip("route");
  const find = (list: { dst: string }[], dst: string) => list.find((route) => route.dst === dst);
  assert.partialDeepStrictEqual(find(main, "10.200.0.0/16"), {
    dev: "mesh0",
    protocol: "static",
    scope: "link",
  });
  assert.partialDeepStrictEqual(find(main, "default"), { gateway: "10.1.0.2", metric: 50 });
  assert.partialDeepStrictEqual(find(main, "10.9.0.0/16"), { type: "blackhole" });
  assert.partialDeepStrictEqual(await here.ip("route", "show", "table", "5000"), [
    { dst: "10.201.0.0/16", dev: "mesh0", prefsrc: "10.1.0.1" },
  ]);
  assert.partialDeepStrictEqual(find(await here.ip("-6", "route"), "fd05::/16"), {
    gateway: "fd01::2",
    metric: 1024,
  });
  assert.partialDeepStrictEqual(await here.ip("-6", "route", "show", "table", "5000"), [
    { type: "unreachable", dst: "default", metric: 9 },
  ]);

  const common = { type: "unicast", protocol: 4, table: 254 } as const;
  const list = listRoutes(netlink, { family: "ipv4", table: 254 });
  const of = (destination: string) => list.find((route) => route.destination === destination);
  assert.deepEqual(of("0.0.0.0/0"), {
    ...common,
    family: "ipv4",
    destination: "0.0.0.0/0",
    gateway: "10.1.0.2",
    device,
    metric: 50,
    mtu: 1300,
  });
  assert.deepEqual(listRoutes(netlink, { table: 5000 }).map((r) => [r.destination, r.type]), [
    ["10.201.0.0/16", "unicast"],
    ["::/0", "unreachable"],
  ]);
  assert.deepEqual(listRoutes(netlink, { table: 4999 }), []);
  assert.ok(listRoutes(netlink).some(({ type, table }) => type === "local" && table === 255));

  replaceRoute(netlink, { destination: "0.0.0.0/0", gateway: "10.1.0.3", metric: 50 });
  assert.partialDeepStrictEqual(find(await here.ip("route"), "default"), { gateway: "10.1.0.3" });
  for (const route of listRoutes(netlink, { table: 5000 })) deleteRoute(netlink, route);
  assert.deepEqual(listRoutes(netlink, { table: 5000 }), []);
  deleteRoute(netlink, { destination: "10.9.0.0/16" });
  deleteRoute(netlink, { destination: "fd05::/16" });
  assert.throws(
    () => deleteRoute(netlink, { destination: "10.9.0.0/16" }),
    refused(
      3,
      /cannot delete the route 10\.9\.0\.0\/16: RTM_DELROUTE failed with ESRCH \(3\).*no such/,
    ),
  );
  assert.throws(
    () => addRoute(netlink, { destination: "10.200.0.0/16", device }),
    refused(Errno.EEXIST, /there is such a route already/),
  );
});

labTest("a refusal carries the kernel's own words", needs, async () => {
  await using here = await lab();
  const { netlink, device } = here;
  changeLink(netlink, device, { up: true });
  assert.throws(
    () => addRoute(netlink, { destination: "10.0.0.0/8", gateway: "192.0.2.1", device }),
    refused(101, /ENETUNREACH \(101\), "Nexthop has invalid gateway"/),
  );
});

labTest("routing rules of both families are added, listed and deleted", needs, async () => {
  await using here = await lab();
  const { netlink } = here;
  const before = [listRules(netlink), await here.ip("rule"), await here.ip("-6", "rule")];
  const rules: Rule[] = [
    { family: "ipv4", priority: 100, action: "table", table: 5000, mark: 0x77, mask: 0xff },
    {
      family: "ipv4",
      priority: 101,
      action: "table",
      table: 254,
      suppressPrefixLength: 0,
    },
    {
      family: "ipv4",
      priority: 102,
      action: "table",
      table: 100,
      from: "10.0.0.0/8",
      to: "10.1.0.0/16",
      inputDevice: "lo",
      outputDevice: "mesh0",
    },
    {
      family: "ipv4",
      priority: 103,
      action: "table",
      table: 254,
      to: "192.0.2.1/32",
      transport: "tcp",
      destinationPort: 443,
    },
    {
      family: "ipv6",
      priority: 100,
      action: "table",
      table: 5000,
      mark: 0x77,
      mask: 0xffff_ffff,
      invert: true,
    },
    { family: "ipv6", priority: 200, action: "unreachable", from: "fd00::/8" },
    {
      family: "ipv6",
      priority: 201,
      action: "table",
      table: 254,
      transport: "udp",
      sourcePort: 8443,
    },
  ];
  for (const rule of rules) addRule(netlink, rule);
  const said = await here.ip("rule");
  assert.partialDeepStrictEqual(said[1], {
    priority: 100,
    table: "5000",
    fwmark: "0x77",
    fwmask: "0xff",
  });
  assert.partialDeepStrictEqual(said[2], { priority: 101, table: "main", suppress_prefixlen: 0 });
  assert.partialDeepStrictEqual(said[3], {
    src: "10.0.0.0",
    srclen: 8,
    dst: "10.1.0.0",
    dstlen: 16,
    iif: "lo",
    oif: "mesh0",
  });
  assert.partialDeepStrictEqual(said[4], { dst: "192.0.2.1", ipproto: "tcp", dport: 443 });
  const said6 = await here.ip("-6", "rule");
  assert.ok("not" in said6[1]);
  assert.partialDeepStrictEqual(said6[1], { priority: 100, table: "5000", fwmark: "0x77" });
  assert.partialDeepStrictEqual(said6[2], { priority: 200, src: "fd00::", srclen: 8 });
  assert.partialDeepStrictEqual(said6[3], { priority: 201, ipproto: "udp", sport: 8443 });
  const [all] = before;
  const added = listRules(netlink).filter((rule) =>
    rules.some((r) => r.priority === rule.priority && r.family === rule.family)
  );
  assert.deepEqual(added, rules);
  const first = rules[0];
  assert.ok(first !== undefined);
  assert.throws(() => addRule(netlink, first), refused(Errno.EEXIST, /such a rule already/));
  for (const rule of added) deleteRule(netlink, rule);
  assert.deepEqual(
    [listRules(netlink), await here.ip("rule"), await here.ip("-6", "rule")],
    before,
  );
  assert.deepEqual(listRules(netlink, "ipv4"), all?.filter((rule: Rule) => rule.family === "ipv4"));
  assert.throws(() => deleteRule(netlink, first), refused(Errno.ENOENT, /there is no such rule/));
});

labTest("a long table is read whole", needs, async () => {
  await using here = await lab();
  const { netlink, device } = here;
  changeLink(netlink, device, { up: true });
  for (let i = 0; i < 2000; i++) {
    addRoute(netlink, { destination: `11.${i >> 8}.${i & 255}.0/24`, device, table: 777 });
  }
  const found = new Set(listRoutes(netlink, { table: 777 }).map((route) => route.destination));
  assert.equal(found.size, 2000);
});

labTest("without CAP_NET_ADMIN a change is refused with what to do, and lists still work", {
  ...needs,
  commands: ["setpriv"],
}, async () => {
  await using here = await lab();
  const source = `
    import { Libc } from ${JSON.stringify(import.meta.resolve("../libc/libc.ts"))};
    import { NetlinkSocket } from ${JSON.stringify(import.meta.resolve("./netlink_socket.ts"))};
    import { changeLink, listLinks } from ${JSON.stringify(import.meta.resolve("./links.ts"))};
    const netlink = new NetlinkSocket(Libc.open(), "route");
    console.log(listLinks(netlink).length);
    try { changeLink(netlink, ${here.device}, { up: true }); } catch (e) { console.log(e.message); }`;
  const bare = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all"];
  const said = await here.net.exec("a", ...bare, Deno.execPath(), "eval", source);
  assert.equal(
    said,
    `3\ncannot change the interface ${here.device}: RTM_NEWLINK failed with EPERM (1); run as root or with CAP_NET_ADMIN\n`,
  );
});

labTest("the way of a packet is looked up as the kernel would send it", needs, async () => {
  await using here = await lab();
  const { net, netlink, device } = here;
  assert.equal(lookupRoute(netlink, "10.9.0.1"), undefined);
  await net.exec("a", "ip", "address", "add", "10.8.0.1/24", "dev", "mesh0");
  await net.exec("a", "ip", "link", "set", "mesh0", "up");
  await net.exec("a", "ip", "route", "add", "10.9.0.0/16", "via", "10.8.0.2");
  await net.exec("a", "ip", "route", "add", "10.9.0.0/24", "via", "10.8.0.3", "table", "77");
  await net.exec("a", "ip", "rule", "add", "fwmark", "5", "table", "77");
  const found = lookupRoute(netlink, "10.9.0.1");
  assert.deepEqual([found?.device, found?.gateway, found?.source], [
    device,
    "10.8.0.2",
    "10.8.0.1",
  ]);
  assert.equal(lookupRoute(netlink, "10.9.0.1", 5)?.gateway, "10.8.0.3");
  assert.equal(lookupRoute(netlink, "10.7.0.1"), undefined);
  await net.exec("a", "ip", "-6", "route", "add", "fd00:9::/32", "dev", "mesh0");
  assert.equal(lookupRoute(netlink, "fd00:9::1")?.device, device);
});

labTest(
  "the default route is the best one whose interface is up and not our own",
  needs,
  async () => {
    await using here = await lab();
    const { net, netlink, device } = here;
    const peer = findLink(netlink, "peer0")?.index;
    assert.equal(findDefaultRoute(netlink, "ipv4"), undefined);
    for (
      const [family, address, gateway] of [["ipv4", "10.8.0.1/24", "10.8.0.2"], [
        "ipv6",
        "fd00:8::1/64",
        "fd00:8::2",
      ]] as const
    ) {
      await net.exec("a", "ip", "address", "add", address, "dev", "peer0");
      await net.exec("a", "ip", "link", "set", "mesh0", "up");
      const add = (...args: string[]) =>
        net.exec("a", "ip", family === "ipv6" ? "-6" : "-4", "route", "add", "default", ...args);
      await add("via", gateway, "dev", "peer0", "metric", "200");
      await add("dev", "mesh0", "metric", "100");
      assert.equal(findDefaultRoute(netlink, family)?.link.name, "mesh0");
      const { route, link } = findDefaultRoute(netlink, family, device)!;
      assert.deepEqual([link.index, route.gateway, route.metric], [peer, gateway, 200]);
      assert.equal(findDefaultRoute(netlink, family, peer)?.link.name, "mesh0");
    }
  },
);
