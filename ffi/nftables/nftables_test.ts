import assert from "node:assert/strict";
import { eventually, Lab, labTest } from "../../tests/lab/mod.ts";
import { Errno } from "../libc/errno.ts";
import { FfiError } from "../libc/errors.ts";
import { Libc } from "../libc/libc.ts";
import { NetlinkSocket } from "../netlink/netlink_socket.ts";
import { inNamespace } from "../testing.ts";
import { counter, jump, masquerade, verdict } from "./expressions.ts";
import {
  connectionIs,
  destinationIn,
  destinationPortIs,
  inputIs,
  isFamily,
  markIs,
  outputIs,
  setMark,
  sourceIn,
} from "./matches.ts";
import { NftBatch } from "./nft_batch.ts";
import type { TableId } from "./nft_header.ts";
import { listChains, listNftRules } from "./nft_rules.ts";
import { listTables } from "./nft_tables.ts";

const needs = { namespaces: true } as const;

async function lab() {
  await using stack = new AsyncDisposableStack();
  const net = stack.use(await Lab.create());
  const namespace = await net.node("a");
  const libc = stack.use(Libc.open());
  const open = () => inNamespace(libc, namespace, () => new NetlinkSocket(libc, "netfilter"));
  const netlink = stack.use(open());
  const owned = stack.move();
  return {
    net,
    netlink,
    open,
    /** The rules as nft sees them, without counts, one line each. */
    rules: async () =>
      (await net.exec("a", "nft", "-s", "list", "ruleset")).split("\n").map((line) => line.trim())
        .filter((line) => line !== "" && line !== "}"),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

labTest("rules are what nft says they are, for IPv4, IPv6 and both", needs, async () => {
  await using here = await lab();
  const v4: TableId = { family: "ip", name: "pulse4" };
  const v6: TableId = { family: "ip6", name: "pulse6" };
  const both: TableId = { family: "inet", name: "pulse" };
  const post = { name: "post", type: "nat", hook: "postrouting", priority: 100 } as const;
  const forward = { name: "forward", type: "filter", hook: "forward", priority: 0 } as const;
  new NftBatch()
    .addTable(v4)
    .addChain(v4, post)
    .addRule(v4, "post", [
      ...sourceIn("ip", "100.64.0.0/10"),
      ...outputIs("mesh0", "unequal"),
      counter(),
      masquerade(),
    ], "mesh to the world")
    .addTable(v6)
    .addChain(v6, post)
    .addRule(v6, "post", [...sourceIn("ip6", "fd00::/8"), ...outputIs("eth0"), masquerade()])
    .addTable(both)
    .addChain(both, "later")
    .addRule(both, "later", [verdict("return")])
    .addChain(both, { ...forward, policy: "drop" })
    .addRule(both, "forward", [...connectionIs("established", "related"), verdict("accept")])
    .addRule(both, "forward", [
      ...inputIs("mesh0"),
      ...destinationIn("inet", "10.1.2.3/32"),
      verdict("accept"),
    ])
    .addRule(both, "forward", [...sourceIn("inet", "fd00::/7"), verdict("drop")])
    .addRule(both, "forward", [...isFamily("ipv6"), ...destinationPortIs("udp", 53), ...setMark(7)])
    .addRule(both, "forward", [...markIs(0x77), jump("later")])
    .commit(here.netlink);
  assert.deepEqual(await here.rules(), [
    "table ip pulse4 {",
    "chain post {",
    "type nat hook postrouting priority srcnat; policy accept;",
    'ip saddr 100.64.0.0/10 oifname != "mesh0" counter masquerade comment "mesh to the world"',
    "table ip6 pulse6 {",
    "chain post {",
    "type nat hook postrouting priority srcnat; policy accept;",
    'ip6 saddr fd00::/8 oifname "eth0" masquerade',
    "table inet pulse {",
    "chain later {",
    "return",
    "chain forward {",
    "type filter hook forward priority filter; policy drop;",
    "ct state established,related accept",
    'iifname "mesh0" ip daddr 10.1.2.3 accept',
    "ip6 saddr fc00::/7 drop",
    "meta nfproto ipv6 udp dport 53 meta mark set 0x00000007",
    "meta mark 0x00000077 jump later",
  ]);
});

labTest(
  "a batch with one wrong step changes nothing, and says which step it was",
  needs,
  async () => {
    await using here = await lab();
    const table: TableId = { family: "ip", name: "pulse" };
    const batch = new NftBatch()
      .addTable(table)
      .addChain(table, { name: "in", type: "filter", hook: "input", priority: 0 })
      .addRule(table, "in", [masquerade()]) // only in chains of type nat
      .addChain(table, "other");
    assert.throws(() => batch.commit(here.netlink), (error) => {
      assert.ok(error instanceof FfiError && error.code === "FFI_NETLINK");
      assert.match(
        error.message,
        /^cannot add a rule to the chain in of the nftables table pulse: NFT_MSG_NEWRULE failed with E/,
      );
      return true;
    });
    assert.deepEqual(await here.rules(), []);
    // The socket is as good as new.
    new NftBatch().addTable(table).commit(here.netlink);
    assert.deepEqual(await here.rules(), ["table ip pulse {"]);
  },
);

labTest(
  "tables are listed, replaced in one step, and removed; others are left alone",
  needs,
  async () => {
    await using here = await lab();
    await here.net.nft("a", "table inet docker {}");
    const table: TableId = { family: "inet", name: "pulse" };
    for (const chain of ["one", "two"]) {
      new NftBatch().removeTable(table).addTable(table).addChain(table, chain).commit(here.netlink);
      assert.deepEqual((await here.rules()).slice(1), ["table inet pulse {", `chain ${chain} {`]);
    }
    assert.deepEqual(listTables(here.netlink), [{ family: "inet", name: "docker" }, table]);
    new NftBatch().deleteTable(table).commit(here.netlink);
    assert.deepEqual(listTables(here.netlink), [{ family: "inet", name: "docker" }]);
    assert.throws(
      () => new NftBatch().deleteTable(table).commit(here.netlink),
      (error) =>
        error instanceof FfiError && error.errno === Errno.ENOENT &&
        error.message.endsWith("there is no such table"),
    );
    new NftBatch().removeTable(table).commit(here.netlink);
    new NftBatch().commit(here.netlink);
    assert.deepEqual(listTables(here.netlink), [{ family: "inet", name: "docker" }]);
  },
);

labTest("an owned table goes with its socket, and nobody else can change it", needs, async () => {
  await using here = await lab();
  const table: TableId = { family: "ip", name: "pulse" };
  {
    using owner = here.open();
    new NftBatch().addTable(table, { owned: true }).addChain(table, "c").commit(owner);
    assert.deepEqual(listTables(here.netlink), [table]);
    assert.throws(() => new NftBatch().deleteTable(table).commit(here.netlink), FfiError);
  }
  // A process that another thread is just starting has a copy of the socket until it runs its program.
  await eventually(() => listTables(here.netlink).length === 0, { what: "the table is gone" });
});

labTest("a batch of thousands of rules is one step", needs, async () => {
  await using here = await lab();
  const table: TableId = { family: "ip", name: "pulse" };
  const batch = new NftBatch().addTable(table).addChain(table, "c");
  for (let i = 0; i < 3000; i++) {
    batch.addRule(table, "c", [
      ...sourceIn("ip", `10.${i >> 8}.${i & 255}.0/24`),
      verdict("accept"),
    ]);
  }
  batch.commit(here.netlink);
  assert.equal((await here.rules()).length, 3002);
});

labTest("masqueraded packets of both families find their way back", {
  ...needs,
  commands: ["ping"],
}, async () => {
  await using net = await Lab.create();
  for (const name of ["a", "router", "b"]) await net.node(name);
  const [inside, outside] = [await net.link("a", "router"), await net.link("router", "b")];
  await net.exec(
    "router",
    "sysctl",
    "-qw",
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
  );
  await net.exec("a", "ip", "route", "add", "default", "via", inside.ipv4("router"));
  await net.exec("a", "ip", "-6", "route", "add", "default", "via", inside.ipv6("router"));
  const reaches = async (address: string) =>
    (await net.run("a", ["ping", "-c", "1", "-W", "1", address])).code === 0;
  assert.equal(await reaches(outside.ipv4("b")), false); // b knows no way back
  using libc = Libc.open();
  using netlink = inNamespace(
    libc,
    net.namespace("router"),
    () => new NetlinkSocket(libc, "netfilter"),
  );
  const table: TableId = { family: "inet", name: "pulse" };
  new NftBatch()
    .addTable(table)
    .addChain(table, { name: "post", type: "nat", hook: "postrouting", priority: 100 })
    .addRule(table, "post", [...sourceIn("inet", "10.77.0.0/24"), masquerade()])
    .addRule(table, "post", [...sourceIn("inet", "fd00:77::/64"), masquerade()])
    .commit(netlink);
  assert.equal(await reaches(outside.ipv4("b")), true);
  assert.equal(await reaches(outside.ipv6("b")), true);
});

labTest("rules in front of another program's are found by their comment and removed", {
  ...needs,
  commands: ["ping"],
}, async () => {
  await using net = await Lab.create();
  for (const name of ["a", "router", "b"]) await net.node(name);
  const [inside, outside] = [await net.link("a", "router"), await net.link("router", "b")];
  await net.exec("router", "sysctl", "-qw", "net.ipv4.ip_forward=1");
  await net.exec("a", "ip", "route", "add", "default", "via", inside.ipv4("router"));
  await net.exec("b", "ip", "route", "add", "default", "via", outside.ipv4("router"));
  // As docker leaves it: whatever it does not know is dropped.
  await net.nft(
    "router",
    `table ip filter {
      chain DOCKER-USER { counter return comment "theirs"; }
      chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
    }`,
  );
  const before = await net.exec("router", "nft", "-s", "list", "ruleset");
  const reaches = async () =>
    (await net.run("a", ["ping", "-c", "1", "-W", "1", outside.ipv4("b")])).code === 0;
  assert.equal(await reaches(), false);
  using libc = Libc.open();
  const open = () => new NetlinkSocket(libc, "netfilter");
  using netlink = inNamespace(libc, net.namespace("router"), open);
  const dropping = listChains(netlink).filter(({ hook, drops }) => hook === "forward" && drops);
  assert.deepEqual(dropping, [
    { table: { family: "ip", name: "filter" }, name: "FORWARD", hook: "forward", drops: true },
  ]);
  assert.ok(listChains(netlink).some(({ name, hook }) => name === "DOCKER-USER" && !hook));
  const [{ table, name: chain }] = dropping as [typeof dropping[number]];
  new NftBatch()
    .insertRule(table, chain, [...inputIs("to-a"), verdict("accept")], "pulse exit")
    .insertRule(table, chain, [
      ...outputIs("to-a"),
      ...connectionIs("established", "related"),
      verdict("accept"),
    ], "pulse exit")
    .commit(netlink);
  assert.equal(await reaches(), true);
  assert.deepEqual(
    listNftRules(netlink, table, chain).map(({ comment }) => comment),
    ["pulse exit", "pulse exit", undefined],
  );
  assert.deepEqual(
    listNftRules(netlink, table, "DOCKER-USER").map(({ comment }) => comment),
    ["theirs"],
  );
  const undo = new NftBatch();
  for (const { handle, comment } of listNftRules(netlink, table, chain)) {
    if (comment === "pulse exit") undo.deleteRule(table, chain, handle);
  }
  undo.commit(netlink);
  assert.equal(await net.exec("router", "nft", "-s", "list", "ruleset"), before);
  assert.throws(
    () => new NftBatch().deleteRule(table, chain, 9999n).commit(netlink),
    /it is gone already/,
  );
  assert.deepEqual(listNftRules(netlink, table, "nowhere"), []);
});

Deno.test("what cannot be matched is refused before the kernel is asked", () => {
  assert.throws(() => sourceIn("ip", "fd00::/8"), /cannot be matched in a table of family ip/);
  assert.throws(() => destinationIn("ip6", "10.0.0.0/8"), FfiError);
  assert.throws(() => inputIs(""), FfiError);
  assert.throws(() => outputIs("sixteen-bytes-xx"), FfiError);
  const table: TableId = { family: "ip", name: "pulse" };
  assert.throws(() => new NftBatch().addRule(table, "c", [], "x".repeat(128)), FfiError);
});
