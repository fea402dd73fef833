import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { setUp, type SetupOptions, undo } from "./apply.ts";
import { writeJournal } from "./journal.ts";
import { type DnsSetupCode, DnsSetupError } from "./errors.ts";

const standard = { host: "127.0.0.1", port: 5353 };
const port53 = { host: "127.0.0.1", port: 53 };

/** A machine that is only files. Values are contents; those that begin with `->` are links. */
async function machine(
  tree: Readonly<Record<string, string>>,
  test: (options: SetupOptions & { readonly commands: string[][] }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-dns-setup-" });
  const root = join(dir, "root");
  const commands: string[][] = [];
  try {
    await Deno.mkdir(root);
    for (const [path, content] of Object.entries(tree)) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      if (content.startsWith("->")) await Deno.symlink(content.slice(2), join(root, path));
      else await Deno.writeTextFile(join(root, path), content);
    }
    const run = (argv: readonly string[]) => {
      commands.push([...argv]);
      return Promise.resolve();
    };
    await test({ dataDir: join(dir, "data"), root, dryRun: false, run, commands });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Every folder, link and file below, with modes and contents. */
async function snapshot(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir(path)) {
    const each = join(path, name);
    const info = await Deno.lstat(each);
    const mode = (info.mode! & 0o7777).toString(8);
    if (info.isDirectory) lines.push(`${each}/ ${mode}`, ...await snapshot(each));
    else if (info.isSymlink) lines.push(`${each} -> ${await Deno.readLink(each)}`);
    else lines.push(`${each} ${mode} ${(await Deno.readFile(each)).toHex()}`);
  }
  return lines.sort();
}

const hasCode = (code: DnsSetupCode, message = /./) => (error: unknown) =>
  error instanceof DnsSetupError && error.code === code && message.test(error.message);

const stub = "->/run/systemd/resolve/stub-resolv.conf";
const machines = {
  "systemd-resolved": {
    tree: {
      "etc/resolv.conf": stub,
      "run/systemd/resolve/stub-resolv.conf": "nameserver 127.0.0.53\n",
    },
    listen: standard,
    file: "etc/systemd/resolved.conf.d/pulse.conf",
    holds: /^DNS=127\.0\.0\.1:5353\nDomains=~pulse$/m,
  },
  "NetworkManager with dnsmasq": {
    tree: {
      "etc/resolv.conf": "nameserver 127.0.1.1\n",
      "etc/NetworkManager/conf.d/dns.conf": "[main]\ndns = dnsmasq\n",
      "etc/NetworkManager/dnsmasq.d/mine.conf": "cache-size=1\n",
    },
    listen: standard,
    file: "etc/NetworkManager/dnsmasq.d/pulse.conf",
    holds: /^server=\/pulse\/127\.0\.0\.1#5353$/m,
  },
  openresolv: {
    tree: {
      "etc/resolv.conf": "nameserver 192.0.2.1\n",
      "etc/resolvconf.conf": "resolv_conf=/etc/resolv.conf",
    },
    listen: port53,
    file: "etc/resolvconf.conf",
    holds: /^resolv_conf=\/etc\/resolv\.conf\n#.*\nname_servers=127\.0\.0\.1$/m,
  },
  resolvconf: {
    tree: {
      "etc/resolv.conf": "->../run/resolvconf/resolv.conf",
      "run/resolvconf/resolv.conf": "nameserver 192.0.2.1\n",
    },
    listen: port53,
    file: "etc/resolvconf/resolv.conf.d/head",
    holds: /^nameserver 127\.0\.0\.1$/m,
  },
  "/etc/resolv.conf": {
    tree: { "etc/resolv.conf": "# \u00e4\nsearch lan\nnameserver 192.0.2.1\r\noptions edns0" },
    listen: port53,
    file: "etc/resolv.conf",
    holds: /^search lan\n#.*\nnameserver 127\.0\.0\.1\nnameserver 192\.0\.2\.1\r\noptions edns0$/m,
  },
} as const;

for (const [resolver, { tree, listen, file, holds }] of Object.entries(machines)) {
  Deno.test(`${resolver} is told of pulse, and undo leaves every byte as it was`, async () => {
    await machine(tree, async (options) => {
      const { root, commands } = options;
      if (resolver === "/etc/resolv.conf") await Deno.chmod(join(root, file), 0o640);
      const before = await snapshot(root);
      const planned = await setUp(listen, { ...options, dryRun: true });
      assert.equal(planned.resolver, resolver);
      assert.deepEqual(await snapshot(root), before);
      const report = await setUp(listen, options);
      assert.deepEqual(report, { ...planned, dryRun: false });
      assert.match(await Deno.readTextFile(join(root, file)), holds);
      assert.notDeepEqual(await snapshot(root), before);
      await assert.rejects(setUp(listen, options), hasCode("DNS_SETUP_DONE_ALREADY"));
      await undo(options);
      assert.deepEqual(await snapshot(root), before);
      await assert.rejects(undo(options), hasCode("DNS_SETUP_NOT_DONE"));
      assert.deepEqual(commands, [], "nothing is run for an image");
    });
  });
}

Deno.test("a resolver that cannot name a port is left alone, and the way out is said", async () => {
  for (const resolver of ["openresolv", "resolvconf", "/etc/resolv.conf"] as const) {
    await machine(machines[resolver].tree, async (options) => {
      const before = await snapshot(options.root);
      const says = /pulse start --dns --dns-listen 127\.0\.0\.1:53 --dns-upstream 192\.0\.2\.1 /;
      await assert.rejects(setUp(standard, options), hasCode("DNS_SETUP_PORT", says));
      assert.deepEqual(await snapshot(options.root), before);
    });
  }
});

Deno.test("a setup that was cut off is undone as far as it came", async () => {
  const { tree, listen } = machines["systemd-resolved"];
  const made = ["etc/dnssec-trust-anchors.d", "etc/systemd"];
  for (const missing of [made.slice(0, 1), made]) {
    await machine(tree, async (options) => {
      const before = await snapshot(options.root);
      await setUp(listen, options);
      // The journal is written first: this is what a machine looks like that lost its power then.
      for (const each of missing) await Deno.remove(join(options.root, each), { recursive: true });
      const { files } = await undo(options);
      assert.equal(files.length, 2 - missing.length);
      assert.deepEqual(await snapshot(options.root), before);
    });
  }
});

Deno.test("on this machine itself the resolver is told to read its files, after setup and after undo", async () => {
  const { tree, listen } = machines["systemd-resolved"];
  await machine(tree, async (options) => {
    await setUp(listen, { ...options, dryRun: true });
    const { reload } = await setUp(listen, options);
    assert.deepEqual(reload, ["systemctl", "restart", "systemd-resolved.service"]);
    assert.deepEqual(options.commands, []);
  });
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-dns-setup-" });
  try {
    const commands: string[][] = [];
    const options = { dataDir, root: "/", dryRun: false };
    const run = (argv: readonly string[]) => {
      commands.push([...argv]);
      return Promise.reject(new Error("no such program"));
    };
    await writeJournal(dataDir, {
      format: 1,
      resolver: "systemd-resolved",
      root: "/",
      reload: ["systemctl", "restart", "systemd-resolved.service"],
      changes: [],
    });
    await assert.rejects(undo({ ...options, run }), hasCode("DNS_SETUP_RELOAD"));
    await undo({ ...options, run: () => Promise.resolve() });
    assert.deepEqual(commands, [["systemctl", "restart", "systemd-resolved.service"]]);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a file that somebody else has changed since stays as he made it", async () => {
  const { tree, listen, file } = machines["/etc/resolv.conf"];
  await machine(tree, async (options) => {
    await setUp(listen, options);
    await Deno.writeTextFile(join(options.root, file), "nameserver 198.51.100.1\n");
    const report = await undo(options);
    assert.deepEqual(report.files, [{ path: "/etc/resolv.conf", action: "left" }]);
    assert.equal(await Deno.readTextFile(join(options.root, file)), "nameserver 198.51.100.1\n");
  });
});

Deno.test("what pulse does not know it does not touch", async () => {
  const cases: Readonly<Record<string, string>>[] = [
    {},
    {
      "etc/resolv.conf": "->/run/other/resolv.conf",
      "run/other/resolv.conf": "nameserver 1.2.3.4\n",
    },
  ];
  for (const tree of cases) {
    await machine(tree, async (options) => {
      await assert.rejects(setUp(port53, options), hasCode("DNS_SETUP_NO_RESOLVER"));
      await assert.rejects(undo(options), hasCode("DNS_SETUP_NOT_DONE"));
    });
  }
});
