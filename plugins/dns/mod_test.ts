import assert from "node:assert/strict";
import { startTestHost } from "../../core/plugin/testing.ts";
import { resolveConfig } from "../../core/config/resolve_config.ts";
import { enabledPlugins } from "../../core/node/enabled_plugins.ts";
import type { Json } from "../../core/plugin/types.ts";
import project from "../../deno.json" with { type: "json" };
import { run } from "../../tests/lab/command.ts";
import { eventually, labTest } from "../../tests/lab/mod.ts";
import { ids, sampleSnapshot, startDns } from "./testing.ts";

const needs = { commands: ["dig"] };

labTest("dig finds a node by name and by id, in both families and backwards", needs, async () => {
  await using dns = await startDns();
  const short = async (...args: string[]) => (await dns.dig("+short", ...args)).trim().split("\n");
  assert.deepEqual(await short("db.pulse"), ["10.100.3.4"]);
  assert.deepEqual(await short("DB.Pulse.", "AAAA"), ["fd12:3456:789a::4"]);
  assert.deepEqual(await short(`${ids.bare}.pulse`), ["10.100.7.7"]);
  assert.deepEqual(await short("postgres.db.pulse"), ["10.100.3.4"]);
  assert.deepEqual(await short("_postgres._tcp.db.pulse", "SRV"), ["0 0 5432 db.pulse."]);
  assert.deepEqual(await short("-x", "10.100.3.4"), ["db.pulse."]);
  assert.deepEqual(await short("-x", "10.100.7.7"), [`${ids.bare}.pulse.`]);
  assert.deepEqual(await short("-x", "fd12:3456:789a::9"), ["web.pulse."]);
  assert.deepEqual(await short("db.pulse", "TXT"), [`"id=${ids.db}" "tag=prod"`]);
  assert.deepEqual(await short("pulse", "NS"), ["web.pulse."]);
  assert.match(
    (await short("pulse", "SOA"))[0]!,
    /^web\.pulse\. hostmaster\.pulse\. 7 60 30 300 2$/,
  );
  const srv = await dns.dig("_postgres._tcp.db.pulse", "SRV");
  assert.match(
    srv,
    /ADDITIONAL SECTION:\ndb\.pulse\.\s+5\s+IN\s+A\s+10\.100\.3\.4\ndb\.pulse\.\s+5\s+IN\s+AAAA/,
  );
  assert.doesNotMatch(srv, /malformed|extra bytes/i);
});

labTest("dig sees codes, flags and an SOA where they belong", needs, async () => {
  await using dns = await startDns();
  const cases: [string[], RegExp[]][] = [
    [["nobody.pulse"], [
      /status: NXDOMAIN/,
      /flags: qr aa rd;/,
      /AUTHORITY SECTION:\npulse\.\s+2\s+IN\s+SOA/,
    ]],
    [["db.pulse", "MX"], [/status: NOERROR/, /ANSWER: 0, AUTHORITY: 1/, /SOA/]],
    [["_tcp.db.pulse"], [/status: NOERROR/, /ANSWER: 0, AUTHORITY: 1/]],
    [["-x", "10.100.99.99"], [/status: NXDOMAIN/, /100\.10\.in-addr\.arpa\.\s+2\s+IN\s+SOA/]],
    [["100.10.in-addr.arpa", "SOA"], [/status: NOERROR/, /ANSWER: 1/]],
    [["example.com"], [/status: REFUSED/, /flags: qr rd;/]],
    [["-x", "10.9.0.1"], [/status: REFUSED/]],
    [["db.pulse", "ANY", "+notcp"], [/HINFO\s+"RFC8482" ""/, /ANSWER: 1/]],
    [["db.pulse", "AXFR"], [/Transfer failed/]],
    [["+opcode=2", "db.pulse"], [/status: NOTIMP/]],
    [["-c", "CH", "version.bind", "TXT"], [/status: REFUSED/]],
    [["+edns=1", "+noednsneg", "db.pulse"], [/status: BADVERS/, /EDNS: version: 0/]],
    [["+noedns", "db.pulse"], [/status: NOERROR/, /ADDITIONAL: 0/]],
    [["dB.pUlSe"], [/dB\.pUlSe\.\s+5\s+IN\s+A\s+10\.100\.3\.4/]],
    [["a\\.b.db.pulse"], [/status: NXDOMAIN/, /;a\\\.b\.db\.pulse\./]],
    [["+tcp", "db.pulse"], [/status: NOERROR/, /ANSWER: 1/]],
  ];
  for (const [args, patterns] of cases) {
    const out = await dns.dig("+tries=1", ...args);
    for (const pattern of patterns) assert.match(out, pattern, args.join(" "));
  }
});

labTest(
  "an answer too long for UDP is asked for again over TCP, and EDNS makes room",
  needs,
  async () => {
    const texts = Array.from({ length: 12 }, (_, n) => ({
      name: "long",
      type: "TXT" as const,
      value: `${n}`.repeat(100).slice(0, 100),
      ttl: 60,
    }));
    await using dns = await startDns({}, sampleSnapshot(texts));
    const cut = await dns.dig("+ignore", "+noedns", "long.pulse", "TXT");
    assert.match(cut, /flags: qr aa tc rd;.*ANSWER: 0/);
    const again = await dns.dig("+noedns", "long.pulse", "TXT");
    assert.match(again, /Truncated, retrying in TCP mode/);
    assert.match(again, /ANSWER: 12/);
    const whole = await dns.dig("+ignore", "+bufsize=4096", "long.pulse", "TXT");
    assert.match(whole, /flags: qr aa tc rd;/);
    const tcp = await dns.dig("+tcp", "+keepopen", "long.pulse", "TXT", "db.pulse", "web.pulse");
    assert.equal(tcp.match(/status: NOERROR/g)?.length, 3);
  },
);

labTest("IPv6 is served like IPv4, with the configuration that a daemon gives", needs, async () => {
  const { configs } = enabledPlugins(
    resolveConfig({
      flags: { dns: true, dnsListen: "[::1]:0", dnsUpstream: ["::1"] },
      home: "/",
      cwd: "/",
      foreground: false,
    }),
  );
  await using dns = await startDns(configs.dns as { readonly [key: string]: Json });
  for (const way of ["+notcp", "+tcp"]) {
    const { stdout } = await run(["dig", "@::1", "-p", `${dns.port}`, "+short", way, "db.pulse"]);
    assert.equal(stdout, "10.100.3.4\n");
  }
});

labTest("names that change are seen soon, and counted", needs, async () => {
  await using dns = await startDns();
  assert.equal(await dns.dig("+short", "db.pulse"), "10.100.3.4\n");
  const changed = sampleSnapshot();
  changed.nodes[0]!.name = "store";
  dns.mesh = () => Promise.resolve(changed as unknown as Json);
  await eventually(async () => await dns.dig("+short", "store.pulse") === "10.100.3.4\n", {
    what: "the new name",
  });
  assert.match(await dns.dig("db.pulse"), /NXDOMAIN/);
  const metrics = await dns.test.host.metrics();
  const value = (name: string, label: string) =>
    metrics.find((m) => m.name === name && Object.values(m.labels ?? {}).includes(label))?.value;
  assert.ok(value("pulse_dns_queries_total", "udp")! >= 3);
  assert.ok(value("pulse_dns_responses_total", "NXDOMAIN")! >= 1);
  assert.equal((await dns.test.host.health())[0]?.ok, true);
});

Deno.test("a wrong configuration, or an address in use, is a failed plugin that says why", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const cases: [Json, RegExp][] = [
      [{ listen: "nonsense" }, /configuration of DNS is wrong: listen/],
      [{ listen: "127.0.0.1:0", extra: 1 }, /configuration of DNS is wrong/],
      [{ listen: "127.0.0.1:1", upstream: ["127.0.0.1:1"] }, /is this server itself/],
      [{ listen: "127.0.0.1:1", upstream: ["dns.example:1"] }, /is not an IP address/],
      [{ listen: "127.0.0.1:1", clients: ["somewhere"] }, /is not a range of clients/],
      [{ listen: `127.0.0.1:${taken.addr.port}` }, /cannot listen on 127\.0\.0\.1:\d+ .*in use/],
    ];
    for (const [config, reason] of cases) {
      await using test = await startTestHost(
        { dns: { ...project.pulse.plugins.dns, module: "./mod.ts" } },
        {
          baseUrl: import.meta.url,
          configs: { dns: config },
          coreServices: ["directory"],
          restart: { maxRestarts: 0 },
        },
      );
      assert.equal(test.host.status()[0]?.state, "failed");
      assert.match(test.host.status()[0]!.detail, reason);
    }
  } finally {
    taken.close();
  }
});
