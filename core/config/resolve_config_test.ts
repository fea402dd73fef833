import assert from "node:assert/strict";
import { dataFiles } from "../control/types.ts";
import { parseDaemonConfig } from "./daemon_config.ts";
import { ConfigError } from "./errors.ts";
import { resolveConfig } from "./resolve_config.ts";
import type { Settings } from "./settings.ts";

const resolve = (flags: Settings, file?: Settings) =>
  resolveConfig({
    flags,
    ...(file === undefined ? {} : { file: { path: "/etc/pulse.toml", settings: file } }),
    home: "/home/u",
    cwd: "/srv",
    foreground: true,
  });

Deno.test("nothing said gives a node that listens everywhere, advertises what it finds out, and opens no doors", () => {
  assert.deepEqual(resolve({}), {
    dataDir: "/home/u/.pulse",
    network: "pulse",
    networkGiven: false,
    advertise: "auto",
    listen: "0.0.0.0:8443",
    peers: [],
    join: null,
    token: null,
    ca: false,
    caToken: null,
    caDays: null,
    scribe: false,
    socks: null,
    socksUsers: {},
    socksDirect: false,
    dns: null,
    services: [],
    tcp: null,
    tun: null,
    exit: { cidrs: [], use: null, killswitch: false },
    api: null,
    apiRequired: false,
    apiHosts: [],
    allowLocal: [{ from: 22, to: 22 }, { from: 80, to: 80 }, { from: 443, to: 443 }],
    meshCidr: "10.100.0.0/16",
    relayOnly: false,
    quic: true,
    websocket: true,
    logLevel: "info",
    logFormat: "auto",
    foreground: true,
  });
});

Deno.test("a flag wins over the file and the file over the default", () => {
  const config = resolve({ network: "b" }, { network: "a", logLevel: "WARN", peers: ["x:1"] });
  assert.equal(config.network, "b");
  assert.equal(config.networkGiven, true);
  assert.equal(config.logLevel, "warn");
  assert.deepEqual(config.peers, ["x:1"]);
});

Deno.test("an empty flag is none: neither the file's value nor the default gives way to it", () => {
  const names = ["network", "addr", "listen", "token", "join", "dataDir", "logLevel", "logFormat"];
  const empty = Object.fromEntries(names.map((name) => [name, ""]));
  assert.deepEqual(resolve(empty), resolve({}));
  const file = { network: "a", logLevel: "warn", listen: "127.0.0.1:9", token: "t" };
  assert.deepEqual(resolve(empty, file), resolve({}, file));
  assert.deepEqual(
    resolve({ ca: true, token: "t", caToken: "" }),
    resolve({ ca: true, token: "t" }),
  );
  assert.throws(() => resolve({ allowLocal: "" }), { message: /^--allow-local: / });
});

Deno.test("everything a node keeps is in its data directory, wherever that is", () => {
  assert.equal(resolve({ dataDir: "/srv/pulse" }).dataDir, "/srv/pulse");
  assert.equal(resolve({ dataDir: "~/mesh" }).dataDir, "/home/u/mesh");
  assert.equal(resolve({ dataDir: "mesh" }).dataDir, "/srv/mesh");
  const homeless = resolveConfig({ flags: {}, home: undefined, cwd: "/srv", foreground: true });
  assert.equal(homeless.dataDir, "/srv/.pulse");
  // Files are named relative to it alone.
  for (const name of Object.values(dataFiles)) assert.doesNotMatch(name, /[/\\]|^\.\.?$/);
});

Deno.test("a listener with no host of its own follows the advertised port, on loopback if that is all it advertises", () => {
  assert.equal(resolve({ addr: "relay.example.com:443" }).listen, "0.0.0.0:443");
  assert.equal(resolve({ addr: ":9443" }).listen, "0.0.0.0:9443");
  assert.equal(resolve({ addr: ":9443" }).advertise, "auto");
  assert.equal(resolve({ addr: "127.0.0.1:9443" }).listen, "127.0.0.1:9443");
  assert.equal(resolve({ addr: "[::1]:9443" }).listen, "[::1]:9443");
  assert.equal(resolve({ addr: "r:443", listen: ":8443" }).listen, "0.0.0.0:8443");
});

Deno.test("the local doors are on loopback unless a host is named", () => {
  assert.equal(resolve({ tcp: ":7000" }).tcp, "127.0.0.1:7000");
  assert.equal(resolve({ tcp: "0.0.0.0:7000" }).tcp, "0.0.0.0:7000");
  assert.equal(resolve({ apiListen: ":8080" }).api, "127.0.0.1:8080");
  assert.equal(resolve({ apiListen: "[::1]:1" }).api, "[::1]:1");
  assert.equal(resolve({ socks: true }).socks, "127.0.0.1:1080");
  assert.equal(resolve({ socks: true, socksListen: "[::1]:9050" }).socks, "[::1]:9050");
});

Deno.test("DNS listens on loopback, asks and answers whom it is told to", () => {
  assert.deepEqual(resolve({ dns: true }).dns, {
    listen: "127.0.0.1:5353",
    upstream: [],
    clients: [],
  });
  const config = resolve({
    dns: true,
    dnsListen: "::1",
    dnsUpstream: ["192.0.2.1", "[2001:db8::1]:5300", "2001:db8::2"],
    dnsAllow: ["192.168.1.0/24", "fd00::7"],
  });
  assert.deepEqual(config.dns, {
    listen: "[::1]:5353",
    upstream: ["192.0.2.1:53", "[2001:db8::1]:5300", "[2001:db8::2]:53"],
    clients: ["192.168.1.0/24", "[fd00::7]"],
  });
});

Deno.test("services are names with ports", () => {
  assert.deepEqual(resolve({ services: ["HTTP=80", "x-1=65535"] }).services, [
    { name: "http", port: 80 },
    { name: "x-1", port: 65_535 },
  ]);
});

Deno.test("the CA's master token is --ca-token, else --token", () => {
  assert.equal(resolve({ ca: true, token: "t" }).caToken, "t");
  assert.equal(resolve({ ca: true, token: "t", caToken: "c" }).caToken, "c");
  assert.equal(resolve({ token: "t" }).caToken, null);
});

Deno.test("a relay-only node serves no targets", () => {
  assert.deepEqual(resolve({ relayOnly: true }).allowLocal, []);
});

Deno.test("every bad value is refused with the setting's name, where it came from and what to write", () => {
  const cases: readonly [Settings, RegExp][] = [
    [{ listen: "relay.example.com:1" }, /^--listen: .*not an IP address/],
    [{ addr: "0.0.0.0:8443" }, /^--addr: 0\.0\.0\.0 cannot be dialled/],
    [{ peers: ["a b"] }, /^the peer: /],
    [{ join: ":8443" }, /^--join: .*names no host/],
    [{ network: "Corp!" }, /^--network: .*1 to 32/],
    [{ logLevel: "loud" }, /^--log-level: .*debug, info, warn or error/],
    [{ logFormat: "xml" }, /^--log-format: .*auto, json or pretty/],
    [{ ca: true, meshCidr: "10.0.0.0/99" }, /^--mesh-cidr: /],
    [{ allowLocal: "ssh" }, /^--allow-local: .*not a port/],
    [{ dataDir: "/" + "x".repeat(100) }, /^--data-dir: .*too long for a unix socket/],
    [{ relayOnly: true, ca: true }, /^--ca: a relay-only node/],
    [{ relayOnly: true, scribe: true }, /^--scribe: a relay-only node/],
    [{ relayOnly: true, socks: true }, /^--socks: a relay-only node/],
    [{ relayOnly: true, tcp: ":1" }, /^--tcp: a relay-only node/],
    [{ relayOnly: true, apiListen: ":1" }, /^--api-listen: a relay-only node/],
    [{ apiListen: "example.com:1" }, /^--api-listen: .*not an IP address/],
    [{ apiHosts: ["a"] }, /^--api-host: the API does not listen/],
    [{ apiListen: ":1", apiHosts: ["https://a"] }, /^--api-host: .*not a host name/],
    [{ apiListen: ":1", apiHosts: ["a:1"] }, /^--api-host: .*not a host name/],
    [{ relayOnly: true, allowLocal: "22" }, /^--allow-local: a relay-only node/],
    [{ ca: true, join: "r:1" }, /^--join: a CA certifies itself/],
    [{ caToken: "t" }, /^--ca-token: only a CA/],
    [{ meshCidr: "10.0.0.0/16" }, /^--mesh-cidr: the CA assigns/],
    [{ caDays: 30 }, /^--ca-days: the CA decides/],
    [{ socksListen: ":1" }, /^--socks-listen: SOCKS is off/],
    [{ socksUsers: { ann: "x" } }, /^--socks-users: SOCKS is off/],
    [{ dnsListen: ":53" }, /^--dns-listen: DNS is off/],
    [{ dnsUpstream: ["1.1.1.1"] }, /^--dns-upstream: DNS is off/],
    [{ dns: true, dnsListen: "dns.example:53" }, /^--dns-listen: .*not an IP address/],
    [{ dns: true, dnsUpstream: ["dns.example"] }, /^--dns-upstream: /],
    [{ dns: true, dnsUpstream: ["dns.example:53"] }, /^--dns-upstream: .*not a DNS server/],
    [{ dns: true, dnsUpstream: ["0.0.0.0"] }, /^--dns-upstream: .*not a DNS server/],
    [{ dns: true, dnsAllow: ["10.0.0.0/33"] }, /^--dns-allow: .*not a client/],
    [{ dns: true, dnsAllow: ["fd00::/8"] }, /^--dns-allow: .*not a client/],
    [{ relayOnly: true, dns: true }, /^--dns: a relay-only node/],
    [{ relayOnly: true, services: ["http=80"] }, /^--service: a relay-only node/],
    [{ services: ["http"] }, /^--service: .*write name=port/],
    [{ services: ["http=0"] }, /^--service: .*write name=port/],
    [{ services: ["a.b=80"] }, /^--service: .*write name=port/],
    [{ services: ["http=80", "HTTP=81"] }, /^--service: the service http is named twice/],
    [{ relayOnly: true, tun: true }, /^--tun: a relay-only node/],
    [{ fec: true }, /^--fec: there is no packet tunnel; add --tun/],
    [{ tunName: "pulse1" }, /^--tun-name: there is no packet tunnel/],
    [{ tun: true, tunName: "pulse%d" }, /^--tun-name: .*not the name of an interface/],
    [{ tun: true, tunQueues: 17 }, /^--tun-queues: .*1 to 16 queues, not 17/],
    [{ exitCidrs: ["10.0.0.0/8"] }, /^--exit-cidrs: this node is no exit; add --exit/],
    [{ exit: true, exitCidrs: ["10.0.0.0/33"] }, /^--exit-cidrs: .*is not a range; write 192/],
    [{ exit: true, exitCidrs: [" , "] }, /^--exit-cidrs: names no range/],
    [{ useExit: "no name" }, /^--use-exit: .*names no exit; write auto/],
    [{ exitKillswitch: true }, /^--exit-killswitch: no exit is used/],
    [{ relayOnly: true, exit: true }, /^--exit: a relay-only node/],
    [{ relayOnly: true, useExit: "auto" }, /^--use-exit: a relay-only node/],
    [{ quic: false, websocket: false }, /no transport is left/],
  ];
  for (const [settings, message] of cases) {
    assert.throws(
      () => resolve(settings),
      (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, message);
        return true;
      },
      JSON.stringify(settings),
    );
  }
  assert.throws(() => resolve({}, { logLevel: "loud" }), {
    message: /^"log-level" in \/etc\/pulse\.toml: /,
  });
});

Deno.test("a configuration survives the way to the daemon, and nothing else passes for one", () => {
  const config = resolve({
    join: "pls_abc",
    token: "t",
    socks: true,
    socksUsers: { ann: "secret" },
    peers: ["[::1]:1"],
    dns: true,
    tun: true,
    tunRekeySeconds: 5,
    exit: true,
    useExit: "auto",
    exitKillswitch: true,
    services: ["http=80"],
  });
  assert.deepEqual(parseDaemonConfig(JSON.stringify(config)), config);
  for (const line of ["", "{}", "null", JSON.stringify({ ...config, extra: 1 })]) {
    assert.throws(() => parseDaemonConfig(line), ConfigError);
  }
});
