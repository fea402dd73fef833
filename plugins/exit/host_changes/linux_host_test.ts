import assert from "node:assert/strict";
import { join } from "node:path";
import { Libc } from "../../../ffi/mod.ts";
import { inNamespace } from "../../../ffi/testing.ts";
import { Lab, labTest } from "../../../tests/lab/mod.ts";
import { lookAtHost } from "../look_at_host.ts";
import { planExit } from "../plan/plan_exit.ts";
import { planUser } from "../plan/plan_user.ts";
import type { ExitSnapshot, HostFacts } from "../plan/types.ts";
import { HostState } from "./host_state.ts";
import { Journal, journalName } from "./journal.ts";
import { LinuxHost } from "./linux_host.ts";

const needs = { namespaces: true } as const;

const nothing: ExitSnapshot = {
  own: [],
  active: [],
  use: null,
  killswitch: false,
  meshCidrs: ["10.100.0.0/16", "fd11:2233:4455::/48"],
  port: 8443,
  underlay: ["192.0.2.7:443", "[2001:db8::7]:443"],
};

/** A machine with a neighbourhood, a default route to the internet, and an interface `pulse0`. */
async function machine() {
  await using stack = new AsyncDisposableStack();
  const net = stack.use(await Lab.create());
  const namespace = await net.node("a");
  await net.node("gate");
  const link = await net.link("a", "gate");
  await net.exec("a", "ip", "link", "add", "pulse0", "type", "veth", "peer", "away0");
  for (const name of ["pulse0", "away0"]) await net.exec("a", "ip", "link", "set", name, "up");
  await net.exec("a", "ip", "route", "add", "default", "via", link.ipv4("gate"));
  await net.exec("a", "ip", "-6", "route", "add", "default", "via", link.ipv6("gate"));
  const dir = await Deno.makeTempDir({ prefix: "pulse-exit-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const libc = stack.use(Libc.open());
  const host = stack.use(inNamespace(libc, namespace, () => new LinuxHost(libc)));
  const state = new HostState(host, new Journal(join(dir, journalName)));
  const owned = stack.move();
  return {
    net,
    link,
    /** Makes the machine so; gives what could not be done. */
    become: (snapshot: Partial<ExitSnapshot>, more: Partial<HostFacts> = {}) =>
      inNamespace(libc, namespace, () => {
        const wanted = { ...nothing, ...snapshot };
        const facts = { ...lookAtHost(host, "pulse0", () => {}), ...more };
        return state.reconcile([...planExit(wanted, facts), ...planUser(wanted, facts)]).failures;
      }),
    /** Whether a packet leaves by pulse0 (`exit`), by the default route or a nearer one (`before`), or not at all. */
    way: async (...to: string[]) => {
      const { code, stdout } = await net.run("a", ["ip", "route", "get", ...to]);
      if (code !== 0) return "nowhere";
      return stdout.includes("dev pulse0") ? "exit" : "before";
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

labTest(
  "the kernel sends to the exit what is to go there, and this node's own packets, neighbours and name servers as before",
  needs,
  async () => {
    await using here = await machine();
    const { way, link } = here;
    const nameservers = ["198.51.100.53", "2001:db8::53"];
    const used = { active: ["0.0.0.0/0", "::/0"], use: "auto" };
    assert.deepEqual(here.become(used, { nameservers }), []);
    const cases: [string, ...string[]][] = [
      ["exit", "198.51.100.9"],
      ["exit", "2001:db8::9"],
      ["exit", "198.51.100.53"],
      ["before", "198.51.100.53", "ipproto", "udp", "dport", "53"],
      ["before", "198.51.100.53", "ipproto", "tcp", "dport", "53"],
      ["before", "2001:db8::53", "ipproto", "udp", "dport", "53"],
      ["before", "198.51.100.9", "ipproto", "udp", "sport", "8443"],
      ["before", "2001:db8::9", "ipproto", "tcp", "sport", "8443"],
      ["before", "192.0.2.7", "ipproto", "tcp", "dport", "443"],
      ["exit", "192.0.2.7", "ipproto", "tcp", "dport", "80"],
      ["before", "2001:db8::7", "ipproto", "tcp", "dport", "443"],
      ["before", "198.51.100.9", "mark", "28789"],
      ["before", "198.51.100.9", "from", link.ipv4("a")],
      ["before", "2001:db8::9", "from", link.ipv6("a")],
      ["before", link.ipv4("gate")],
      ["before", link.ipv6("gate")],
    ];
    for (const [expected, ...to] of cases) assert.equal(await way(...to), expected, to.join(" "));
  },
);

labTest(
  "only the ranges behind exits go there while nobody has asked for more",
  needs,
  async () => {
    await using here = await machine();
    assert.deepEqual(here.become({ active: ["203.0.113.0/24"] }), []);
    assert.equal(await here.way("203.0.113.5"), "exit");
    assert.equal(await here.way("198.51.100.9"), "before");
    assert.equal(await here.way("2001:db8::9"), "before");
  },
);

labTest(
  "with the kill switch the default route is nobody's but this node's own, whether there is an exit or an interface or neither",
  needs,
  async () => {
    await using here = await machine();
    const { way, link } = here;
    const blocked = { use: "auto", killswitch: true };
    for (const device of [undefined, "there"]) {
      const more = device === undefined ? { device } : {};
      assert.deepEqual(here.become(blocked, more), []);
      assert.equal(await way("198.51.100.9"), "nowhere");
      assert.equal(await way("2001:db8::9"), "nowhere");
      assert.equal(await way("198.51.100.9", "from", link.ipv4("a")), "nowhere");
      assert.equal(await way("198.51.100.9", "ipproto", "udp", "sport", "8443"), "before");
      assert.equal(await way(link.ipv4("gate")), "before");
    }
    // The interface goes, and its routes with it: what is left is the end of the table.
    assert.deepEqual(here.become({ ...blocked, active: ["0.0.0.0/0"] }), []);
    assert.equal(await way("198.51.100.9"), "exit");
    assert.equal(await way("2001:db8::9"), "nowhere");
    await here.net.exec("a", "ip", "link", "del", "pulse0");
    assert.equal(await way("198.51.100.9"), "nowhere");
    assert.deepEqual(here.become({}), []);
    assert.equal(await way("198.51.100.9"), "before");
  },
);

labTest(
  "a rule, a route, the table, or a rule in another's chain that somebody removes is there again",
  needs,
  async () => {
    await using here = await machine();
    const { net } = here;
    await net.nft(
      "a",
      "table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }",
    );
    const wanted = { own: ["192.0.2.0/24"], active: ["203.0.113.0/24"] };
    assert.deepEqual(here.become(wanted), []);
    const rules = await net.exec("a", "ip", "rule");
    const filter = await net.exec("a", "nft", "list", "ruleset");
    assert.match(filter, /iifname "pulse0" accept comment "pulse exit"/);
    await net.exec("a", "ip", "rule", "del", "priority", "20830");
    await net.exec("a", "ip", "route", "flush", "table", "28789");
    await net.exec("a", "nft", "delete", "table", "inet", "pulse-exit");
    await net.exec("a", "nft", "flush", "chain", "ip", "filter", "FORWARD");
    assert.equal(await here.way("203.0.113.5"), "before");
    assert.deepEqual(here.become(wanted), []);
    assert.equal(await here.way("203.0.113.5"), "exit");
    assert.equal(await net.exec("a", "ip", "rule"), rules);
    const again = await net.exec("a", "nft", "list", "ruleset");
    assert.deepEqual(again.split("\n").sort(), filter.split("\n").sort());
  },
);
