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
  ["--ca --token t r.example.com:443 --addr :9443 s:1", {
    command: "run",
    ...node,
    settings: { ca: true, token: "t", addr: ":9443", peers: ["r.example.com:443", "s:1"] },
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
  ["id --csr --network corp", { command: "id", json: false, csr: true, network: "corp" }],
  ["cert", { command: "cert", json: false }],
  ["join r:1 --token T", { command: "join", json: false, target: "r:1", token: "T" }],
  ["join --token T r:1", { command: "join", json: false, target: "r:1", token: "T" }],
  ["join pls_abc --token-file f", {
    command: "join",
    json: false,
    target: "pls_abc",
    tokenFile: "f",
  }],
  ["invite --ttl 1h --max-uses 3 --relay a:1 --relay b:2 --role exit", {
    command: "invite",
    json: false,
    ttl: "1h",
    maxUses: 3,
    relays: ["a:1", "b:2"],
    roles: ["exit"],
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
  ["token create --ttl 24h", { command: "token create", json: false, ttl: "24h", roles: [] }],
  ["token revoke ab", { command: "token revoke", json: false, id: "ab" }],
  ["ca log -n 3 --verify", { command: "ca log", json: false, lines: 3, verify: true }],
  ["ca nodes", { command: "ca nodes", json: false }],
  ["ca roles n --role exit", { command: "ca roles", json: false, node: "n", roles: ["exit"] }],
  ["ca revoke n --reason lost", { command: "ca revoke", json: false, node: "n", reason: "lost" }],
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
    if (name !== "token" && name !== "ca") {
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
  assert.deepEqual(answers.stdout.split("\n").filter(Boolean), ["start", "status"]);
  const flags = parseCommandLine(["completion", "bash", "join", "--tok"], terminal);
  assert.ok(flags.kind === "exit");
  assert.match(flags.stdout, /--token/);
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
