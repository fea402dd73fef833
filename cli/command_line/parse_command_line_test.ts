import assert from "node:assert/strict";
import fc from "fast-check";
import { commandNames } from "./command_names.ts";
import { commandParsers } from "./grammar.ts";
import { parseCommandLine, type ParsedCommandLine } from "./parse_command_line.ts";

const terminal = { columns: 80, colour: false };
const parse = (line: string): ParsedCommandLine =>
  parseCommandLine(line.split(" ").filter(Boolean), terminal);

const node = { json: false, settings: {} };

/** Command line -> command, without keys that are undefined. */
const understood: readonly (readonly [string, object])[] = [
  ["", { command: "run", ...node }],
  ["relay.example.com:443", {
    command: "run",
    ...node,
    settings: { peers: ["relay.example.com:443"] },
  }],
  ["relay.example.com", { command: "run", ...node, settings: { peers: ["relay.example.com"] } }],
  ["--ca --scribe --token t r.example.com:443 --addr :9443 s:1", {
    command: "run",
    ...node,
    settings: {
      ca: true,
      scribe: true,
      token: "t",
      addr: ":9443",
      peers: ["r.example.com:443", "s:1"],
    },
  }],
  ["r:1 --no-quic --config f", {
    command: "run",
    ...node,
    config: "f",
    settings: { quic: false, peers: ["r:1"] },
  }],
  ["start relay --relay-only --data-dir D", {
    command: "start",
    json: false,
    dataDir: "D",
    settings: { relayOnly: true, peers: ["relay"] },
  }],
  ["start --socks-listen=:1 --socks --tcp :2 --allow-local all --mesh-cidr 10.0.0.0/8", {
    command: "start",
    ...node,
    settings: {
      socks: true,
      socksListen: ":1",
      tcp: ":2",
      allowLocal: "all",
      meshCidr: "10.0.0.0/8",
    },
  }],
  ["start --dns --dns-upstream 1.1.1.1 --dns-upstream 9.9.9.9:53 --service a=1 --service b=2", {
    command: "start",
    ...node,
    settings: {
      dns: true,
      dnsUpstream: ["1.1.1.1", "9.9.9.9:53"],
      services: ["a=1", "b=2"],
    },
  }],
  ["status", { command: "status", json: false }],
  ["status --json --data-dir D", { command: "status", json: true, dataDir: "D" }],
  ["--data-dir D --json status", { command: "status", json: true, dataDir: "D" }],
  ["--data-dir=D token list", { command: "token list", json: false, dataDir: "D" }],
  ["stop", { command: "stop", json: false }],
  ["doctor --fix", { command: "doctor", json: false, fix: true }],
  ["setup dns", { command: "setup dns", json: false, undo: false, dryRun: false }],
  ["setup dns --undo --root /mnt --listen 127.0.0.1:53 --dry-run", {
    command: "setup dns",
    json: false,
    undo: true,
    dryRun: true,
    listen: "127.0.0.1:53",
    root: "/mnt",
  }],
  ["permissions", { command: "permissions", json: false }],
  ["health --json", { command: "health", json: true }],
  ["id --csr --network corp", { command: "id", json: false, csr: true, network: "corp" }],
  ["cert", { command: "cert", json: false }],
  ["join r:1 --token T", {
    command: "join",
    json: false,
    target: "r:1",
    token: "T",
    again: false,
  }],
  ["join --token T r:1", {
    command: "join",
    json: false,
    target: "r:1",
    token: "T",
    again: false,
  }],
  ["join pls_abc --token-file f", {
    command: "join",
    json: false,
    target: "pls_abc",
    tokenFile: "f",
    again: false,
  }],
  ["join pls_abc --again", { command: "join", json: false, target: "pls_abc", again: true }],
  ["invite --ttl 1h --max-uses 3 --relay a:1 --relay b:2 --role exit --tag ci", {
    command: "invite",
    json: false,
    ttl: "1h",
    maxUses: 3,
    relays: ["a:1", "b:2"],
    roles: ["exit"],
    tags: ["ci"],
  }],
  ["connect b localhost:22", {
    command: "connect",
    json: false,
    node: "b",
    dest: "localhost:22",
  }],
  ["connect --dest localhost:22 --node b", {
    command: "connect",
    json: false,
    node: "b",
    dest: "localhost:22",
  }],
  ["forward --node b --dest x:80 --local :8080", {
    command: "forward",
    json: false,
    node: "b",
    dest: "x:80",
    local: ":8080",
  }],
  ["logs", { command: "logs", json: false, follow: false, lines: 50 }],
  ["logs -f -n 5", { command: "logs", json: false, follow: true, lines: 5 }],
  ["token create --ttl 24h", {
    command: "token create",
    json: false,
    ttl: "24h",
    roles: [],
    tags: [],
  }],
  ["token create --tag ci --tag eu --name runner --ephemeral 1h --max-uses 1", {
    command: "token create",
    json: false,
    maxUses: 1,
    roles: [],
    tags: ["ci", "eu"],
    name: "runner",
    ephemeral: "1h",
  }],
  ["name b db", { command: "name", json: false, node: "b", name: "db", force: false }],
  ["tag b site/a --json", { command: "tag", json: true, node: "b", tag: "site/a", force: false }],
  ["untag b x --force", { command: "untag", json: false, node: "b", tag: "x", force: true }],
  ["groups", { command: "groups", json: false }],
  ["mesh-ip b none", { command: "mesh-ip", json: false, node: "b", address: "none" }],
  ["pin b r", { command: "pin", json: false, node: "b", via: "r" }],
  ["unpin b", { command: "unpin", json: false, node: "b" }],
  ["revoke b --reason lost", {
    command: "revoke",
    json: false,
    node: "b",
    reason: "lost",
    force: false,
  }],
  ["revoke --node b", { command: "revoke", json: false, node: "b", force: false }],
  ["unrevoke b", { command: "unrevoke", json: false, node: "b" }],
  ["acl list", { command: "acl list", json: false }],
  ["acl add --from tag:dev --to db --ports 22,80 --proto tcp --proto udp --deny --at 0", {
    command: "acl add",
    json: false,
    from: "tag:dev",
    to: "db",
    ports: "22,80",
    protocols: ["tcp", "udp"],
    deny: true,
    at: 0,
    force: false,
  }],
  ["acl add --comment x", {
    command: "acl add",
    json: false,
    from: "*",
    to: "*",
    protocols: [],
    deny: false,
    comment: "x",
    force: false,
  }],
  ["acl remove 0", { command: "acl remove", json: false, index: 0, force: false }],
  ["acl move 2 0", { command: "acl move", json: false, from: 2, to: 0, force: false }],
  ["acl test run", { command: "acl test run", json: false }],
  ["acl test add tag:dev tag:prod:22 --expect deny", {
    command: "acl test add",
    json: false,
    from: "tag:dev",
    target: "tag:prod:22",
    protocol: "tcp",
    expect: "deny",
    force: false,
  }],
  ["acl test remove 3", { command: "acl test remove", json: false, index: 3 }],
  ["acl explain a db:22", {
    command: "acl explain",
    json: false,
    from: "a",
    target: "db:22",
    protocol: "tcp",
  }],
  ["acl diff remove 1", { command: "acl diff remove", json: false, index: 1, force: false }],
  ["dns list", { command: "dns list", json: false }],
  ["dns add --type AAAA --ttl 60 db fd00::1", {
    command: "dns add",
    json: false,
    name: "db",
    value: "fd00::1",
    type: "AAAA",
    ttl: 60,
  }],
  ["dns remove db", { command: "dns remove", json: false, name: "db" }],
  ["route add 10.7.0.0/16 via b", {
    command: "route add",
    json: false,
    cidr: "10.7.0.0/16",
    via: "b",
  }],
  ["route approve 10.7.0.0/16 b", {
    command: "route approve",
    json: false,
    cidr: "10.7.0.0/16",
    via: "b",
  }],
  ["route remove 10.7.0.0/16 --via b", {
    command: "route remove",
    json: false,
    cidr: "10.7.0.0/16",
    via: "b",
  }],
  ["config show", { command: "config show", json: false }],
  ["config history -n 3", { command: "config history", json: false, lines: 3 }],
  ["config diff 1.2", { command: "config diff", json: false, from: "1.2" }],
  ["config diff 1.2 1.3", { command: "config diff", json: false, from: "1.2", to: "1.3" }],
  ["config rollback 1.2", {
    command: "config rollback",
    json: false,
    version: "1.2",
    force: false,
  }],
  ["config mesh-cidr 10.7.0.0/16", {
    command: "config mesh-cidr",
    json: false,
    cidr: "10.7.0.0/16",
  }],
  ["template list", { command: "template list", json: false }],
  ["template set site log-level=debug", {
    command: "template set",
    json: false,
    pattern: "site",
    settings: ["log-level=debug"],
  }],
  ["template remove site", { command: "template remove", json: false, pattern: "site" }],
  ["restart b", { command: "restart", json: false, node: "b" }],
  ["remote-config --node b log-level=debug", {
    command: "remote-config",
    json: false,
    node: "b",
    settings: ["log-level=debug"],
  }],
  ["bulk site restart", {
    command: "bulk",
    json: false,
    pattern: "site",
    action: "restart",
    settings: [],
  }],
  ["bulk site config a=b c=d", {
    command: "bulk",
    json: false,
    pattern: "site",
    action: "config",
    settings: ["a=b", "c=d"],
  }],
  ["events -f --type link_up --since 1h", {
    command: "events",
    json: false,
    type: "link_up",
    since: "1h",
    lines: 50,
    follow: true,
  }],
  ["stats", { command: "stats", json: false, since: "1h" }],
  ["stats n --peer p", { command: "stats", json: false, node: "n", peer: "p", since: "1h" }],
  ["audit -n 3", { command: "audit", json: false, lines: 3, verify: false }],
  ["audit verify", { command: "audit", json: false, lines: 0, verify: true }],
  ["api-key create --read-only --name g", {
    command: "api-key create",
    json: false,
    readOnly: true,
    name: "g",
  }],
  ["api-key list", { command: "api-key list", json: false }],
  ["api-key rotate ab", { command: "api-key rotate", json: false, id: "ab", overlap: "24h" }],
  ["api-key revoke ab", { command: "api-key revoke", json: false, id: "ab" }],
  ["--scribe-listen :1 --api-host a --api-host b", {
    command: "run",
    json: false,
    settings: { apiListen: ":1", apiHosts: ["a", "b"] },
  }],
  ["token revoke ab", { command: "token revoke", json: false, id: "ab" }],
  ["ca log -n 3 --verify", { command: "ca log", json: false, lines: 3, verify: true }],
  ["ca nodes", { command: "ca nodes", json: false }],
  ["ca roles n --role exit", { command: "ca roles", json: false, node: "n", roles: ["exit"] }],
  ["ca revoke n --reason lost", { command: "ca revoke", json: false, node: "n", reason: "lost" }],
  ["ca grant scribe n", { command: "ca grant", json: false, node: "n" }],
  ["ca grant none", { command: "ca grant", json: false }],
  ["ca roll", { command: "ca roll", json: false, step: "begin", force: false }],
  ["ca roll --status", { command: "ca roll", json: false, step: "status", force: false }],
  ["ca roll --finish --force", { command: "ca roll", json: false, step: "finish", force: true }],
  ["ca sign --csr f --out o --ca-dir c", {
    command: "ca sign",
    json: false,
    csr: "f",
    out: "o",
    caDir: "c",
    roles: [],
  }],
];

Deno.test("every command is understood with its flags before, between and behind its words", () => {
  for (const [line, expected] of understood) {
    const parsed = parse(line);
    assert.equal(parsed.kind, "command", line);
    assert.deepEqual(
      parsed.kind === "command" ? JSON.parse(JSON.stringify(parsed.command)) : null,
      expected,
      line,
    );
  }
});

const refused: readonly (readonly [string, RegExp])[] = [
  ["stauts", /unknown command "stauts"; did you mean "pulse status"\?/],
  ["frobnicate", /unknown command "frobnicate" \(a peer is written host:port\)/],
  ["--ca stauts", /^pulse: unknown command "stauts"; did you mean "pulse status"\?/],
  ["--ca status", /"status" is a command and comes first: pulse status/],
  ["status extra", /extra[^]*See: pulse status --help/],
  ["status --nope", /--nope/],
  ["--lisen :1", /--lisen[^]*--listen/],
  ["--listen", /--listen.*requires/],
  ["--addr a:1 --addr b:1", /--addr.*multiple/],
  ["join", /RELAY\|CODE[^]*See: pulse join --help/],
  ["connect b", /HOST:PORT/],
  ["connect --node b", /--dest/],
  ["connect b --dest x:1", /cannot be used together/],
  ["forward --node b --dest x:1", /--local/],
  ["logs -n 0", /1/],
  ["logs -n many", /many/],
  ["token", /See: pulse token --help/],
  ["token crate", /Did you mean `create`/],
  ["token create --role ca", /scribe/],
  ["token create --max-uses -1", /max-uses|-1/],
  ["ca sign", /--csr/],
  ["--log-format xml", /pretty/],
  ["name b", /NAME/],
  ["acl", /See: pulse acl --help/],
  ["acl remove", /NUMBER/],
  ["acl remove -1", /-1/],
  ["acl remove first", /first/],
  ["acl move 1", /TO/],
  ["acl add --proto sctp", /sctp/],
  ["acl explain a", /NODE:PORT/],
  ["dns add db", /VALUE/],
  ["dns add db x --type MX", /MX/],
  ["revoke", /See: pulse revoke --help/],
  ["template set site", /KEY=VALUE/],
  ["bulk site halt", /halt/],
  ["completion nosh", /nosh/],
];

Deno.test("what is not understood says what is wrong and where the help is, with exit code 2", () => {
  for (const [line, message] of refused) {
    const parsed = parse(line);
    assert.equal(parsed.kind, "exit", line);
    if (parsed.kind !== "exit") continue;
    assert.equal(parsed.code, 2, line);
    assert.equal(parsed.stdout, "", line);
    assert.match(parsed.stderr.replaceAll(/\s*\n(?!See)/g, " "), message, line);
    assert.match(parsed.stderr, /See: pulse .*--help\n$/, line);
  }
});

/** Commands whose help lists further commands. */
const groups = ["token", "ca", "acl", "dns", "route", "config", "template"];

Deno.test("the help of the program lists every command, and each command has a help of its own", () => {
  for (const line of ["--help", "-h", "help"]) {
    const help = parse(line);
    assert.ok(help.kind === "exit" && help.code === 0);
    for (const name of commandParsers.keys()) {
      assert.match(help.stdout, new RegExp(`^  ${name} +\\S`, "m"));
    }
    assert.match(help.stdout, /Exit codes: 0 done, 1 failed, 2 usage, 3 no daemon answers/);
  }
  for (const name of commandParsers.keys()) {
    const help = parse(`${name} --help`);
    assert.ok(help.kind === "exit" && help.code === 0, name);
    assert.match(help.stdout, new RegExp(`^Usage: pulse ${name}`, "m"), name);
    assert.deepEqual(parse(`help ${name}`), help);
    if (!groups.includes(name)) {
      assert.match(help.stdout, /--data-dir DIR/, name);
      assert.match(help.stdout, /--json/, name);
    }
  }
  assert.match((parse("token create -h") as { stdout: string }).stdout, /--data-dir DIR/);
});

Deno.test("the words that are commands are those that have a parser", () => {
  const words = [...commandParsers.keys(), "completion", "help"].sort();
  assert.deepEqual([...commandNames].sort(), words);
});

Deno.test("completion prints a script for each shell, and its answers", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = parse(`completion ${shell}`);
    assert.ok(script.kind === "exit" && script.code === 0);
    assert.match(script.stdout, /pulse/);
  }
  const answers = parseCommandLine(["completion", "bash", "sta"], terminal);
  assert.ok(answers.kind === "exit");
  assert.deepEqual(answers.stdout.split("\n").filter(Boolean), ["start", "status", "stats"]);
  const flags = parseCommandLine(["completion", "bash", "join", "--tok"], terminal);
  assert.ok(flags.kind === "exit");
  assert.match(flags.stdout, /--token/);
  const json = parseCommandLine(["--json", "completion", "zsh"], terminal);
  assert.ok(json.kind === "exit");
  const { shell, script } = JSON.parse(json.stdout);
  assert.equal(shell, "zsh");
  assert.match(script, /pulse/);
});

Deno.test("any words at all are a command or an exit, never an exception", () => {
  const words = fc.oneof(
    fc.constantFrom(...commandNames, "--json", "--data-dir", "-n", "--", "create", "a:1"),
    fc.string({ maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 6 }), (args) => {
      const parsed = parseCommandLine(args, terminal);
      assert.ok(parsed.kind === "command" || [0, 2].includes(parsed.code));
    }),
    { numRuns: 300 },
  );
});
