import assert from "node:assert/strict";
import type { Route } from "../../../ffi/mod.ts";
import type { HostChange } from "../host_changes/types.ts";
import { parseNameservers } from "./nameservers.ts";
import { planExit } from "./plan_exit.ts";
import { exitTableNumber, planUser } from "./plan_user.ts";
import type { ExitSnapshot, HostFacts } from "./types.ts";

const snapshot = (more: Partial<ExitSnapshot> = {}): ExitSnapshot => ({
  own: [],
  active: [],
  use: null,
  killswitch: false,
  meshCidrs: ["10.100.0.0/16", "fd11::/48"],
  port: 8443,
  underlay: ["192.0.2.7:8443", "[2001:db8::7]:443", "192.0.2.7:8443"],
  ...more,
});

const route = (destination: string, device: number, more: Partial<Route> = {}): Route => ({
  family: destination.includes(":") ? "ipv6" : "ipv4",
  destination,
  device,
  metric: 0,
  table: 254,
  type: "unicast",
  protocol: 4,
  ...more,
});

const link = (index: number, name: string) => ({ index, name, up: true, loopback: false });

const facts = (more: Partial<HostFacts> = {}): HostFacts => ({
  device: { name: "pulse0", index: 9 },
  links: [link(2, "eth0"), link(3, "lan0"), link(4, "docker0"), link(9, "pulse0")],
  routes: [
    route("0.0.0.0/0", 2, { gateway: "192.0.2.254" }),
    route("192.168.7.0/24", 3),
    route("172.17.0.0/16", 4),
    route("10.100.0.0/16", 9),
    route("::/0", 2, { protocol: 9 }),
  ],
  addresses: ["192.0.2.5", "2001:db8::5"],
  chains: [],
  nameservers: ["192.168.7.1", "198.51.100.53", "2001:db8::53"],
  ...more,
});

const settings = (changes: readonly HostChange[]) =>
  changes.flatMap((change) => change.kind === "setting" ? [`${change.name}=${change.value}`] : []);

Deno.test("an exit forwards between the mesh and the interfaces its ranges are reached by, and no others", () => {
  const site = planExit(snapshot({ own: ["192.168.7.0/24"] }), facts());
  assert.deepEqual(settings(site), [
    "net/ipv4/conf/pulse0/forwarding=1",
    "net/ipv4/conf/lan0/forwarding=1",
  ]);
  const part = planExit(snapshot({ own: ["192.168.7.128/25"] }), facts());
  assert.deepEqual(settings(part), settings(site));
  const world = planExit(snapshot({ own: ["0.0.0.0/0"] }), facts());
  assert.deepEqual(settings(world), [
    "net/ipv4/conf/pulse0/forwarding=1",
    "net/ipv4/conf/eth0/forwarding=1",
    "net/ipv4/conf/lan0/forwarding=1",
    "net/ipv4/conf/docker0/forwarding=1",
  ]);
  assert.deepEqual(world.at(-1), {
    kind: "filter",
    filter: { device: "pulse0", ranges: ["0.0.0.0/0"], mesh: ["10.100.0.0/16", "fd11::/48"] },
  });
});

Deno.test("an exit for IPv6 goes on listening to the router it has its default route from", () => {
  const changes = planExit(snapshot({ own: ["::/0"] }), facts());
  assert.deepEqual(changes.map(({ kind }) => kind), ["setting", "forwarding6", "filter"]);
  assert.deepEqual(settings(changes), ["net/ipv6/conf/eth0/accept_ra=2"]);
});

Deno.test("where another program's chain drops what it does not know, packets of the mesh pass", () => {
  const table = { family: "ip", name: "filter" } as const;
  const chains = [
    { table, name: "FORWARD", hook: "forward", drops: true },
    { table, name: "INPUT", hook: "input", drops: true },
    { table, name: "DOCKER" },
    { table: { family: "ip6", name: "open" }, name: "forward", hook: "forward", drops: false },
  ] as const;
  const changes = planExit(snapshot({ own: ["192.168.7.0/24"] }), facts({ chains }));
  assert.deepEqual(changes.filter(({ kind }) => kind === "pass"), [
    { kind: "pass", table, chain: "FORWARD", device: "pulse0" },
  ]);
});

Deno.test("without an approved range, or without the interface, an exit changes nothing", () => {
  assert.deepEqual(planExit(snapshot(), facts()), []);
  const gone = facts({ device: undefined });
  assert.deepEqual(planExit(snapshot({ own: ["0.0.0.0/0"] }), gone), []);
});

Deno.test("who uses an exit reaches other nodes, neighbours and name servers as before, and answers from where it was asked", () => {
  const changes = planUser(snapshot({ active: ["0.0.0.0/0"], use: "auto" }), facts());
  const rules = changes.flatMap((change) => change.kind === "rule" ? [change.rule] : []);
  const texts = rules.map(({ priority, table, family: _, ...what }) =>
    `${priority} ${table} ${Object.values(what).join(" ")}`
  );
  assert.deepEqual(texts, [
    "20800 254 28789",
    "20800 254 udp 8443",
    "20800 254 tcp 8443",
    "20800 254 tcp 192.0.2.7/32 8443",
    "20800 254 udp 198.51.100.53/32 53",
    "20800 254 tcp 198.51.100.53/32 53",
    "20800 254 192.0.2.5/32",
    "20820 254 0",
    "20830 28789 ",
  ]);
  assert.deepEqual(changes.filter(({ kind }) => kind === "route"), [{
    kind: "route",
    route: { destination: "0.0.0.0/0", table: exitTableNumber, device: 9 },
  }]);
});

Deno.test("the kill switch leaves no way out in either family, with or without the interface", () => {
  for (const device of [facts().device, undefined]) {
    const changes = planUser(
      snapshot({ active: ["0.0.0.0/0"], use: "auto", killswitch: true }),
      facts({ device }),
    );
    const blocked = changes.flatMap((change) =>
      change.kind === "route" && change.route.type === "unreachable" ? [change.route] : []
    );
    assert.deepEqual(blocked.map(({ destination }) => destination), ["0.0.0.0/0", "::/0"]);
    assert.ok(blocked.every(({ metric }) => metric === 4_294_967_295));
    const from = changes.some((change) => change.kind === "rule" && change.rule.from !== undefined);
    assert.ok(!from, "an address of this machine would be a way past it");
  }
});

Deno.test("who uses no exit changes nothing, with a kill switch for no exit neither", () => {
  assert.deepEqual(planUser(snapshot(), facts()), []);
  assert.deepEqual(planUser(snapshot({ killswitch: true }), facts()), []);
  assert.deepEqual(planUser(snapshot({ active: ["::/0"] }), facts({ device: undefined })), []);
});

Deno.test("name servers are read as the resolver reads them, those of this machine left out", () => {
  const text = "# nameserver 192.0.2.1\nnameserver 192.0.2.2\n  nameserver\t2001:db8::1  \n" +
    "nameserver 127.0.0.53\nsearch example\nnameserver nonsense\n";
  assert.deepEqual(parseNameservers(text), ["192.0.2.2", "2001:db8::1"]);
});
