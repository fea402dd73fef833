import assert from "node:assert/strict";
import { join } from "node:path";
import type { StatusReport } from "../../core/control/types.ts";
import { errorText } from "../../core/errors/mod.ts";
import { seededRandom } from "../../core/gossip/testing.ts";
import type { AuditPage } from "../../core/history/types.ts";
import { runCli } from "../lab/mod.ts";
import { freePorts } from "./fixtures/free_ports.ts";
import { Mortal } from "./fixtures/mortal.ts";
import { pause } from "./fixtures/within.ts";

const masterToken = "a-master-token-that-nobody-may-see";
/** Of each role. */
const killsEach = 5;

Deno.test("killed 20 times at random points while the network is changed, CA, relay, scribe and member lose no change that was answered, and their chains hold", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const directory = await Deno.makeTempDir({ prefix: "pulse-crash-" });
  try {
    await battery(directory, seed);
  } catch (error) {
    // Daemons put their logs into their errors; the end is what matters.
    throw new Error(`with seed ${seed}: ${errorText(error).slice(-20_000)}`, { cause: error });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

async function battery(directory: string, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const [caPort = 0, relayPort = 0] = freePorts(2);
  const mortal = (name: string, port: number, ...args: string[]) => {
    const listen = ["--listen", `127.0.0.1:${port}`, "--api-listen", "127.0.0.1:0"];
    return new Mortal({ dataDir: join(directory, name), args: [...listen, ...args] }, random);
  };
  const through = (port: number) => ["--join", `127.0.0.1:${port}`, "--token", masterToken];
  const hidden = ["--addr", "none"];
  await using ca = mortal("ca", caPort, "--ca", "--token", masterToken);
  await ca.start();
  await using relay = mortal("relay", relayPort, ...through(caPort));
  await relay.start();
  await using scribe = mortal("scribe", 0, ...hidden, "--scribe", ...through(relayPort));
  await scribe.start();
  await using member = mortal("member", 0, ...hidden, ...through(relayPort));
  await member.start();
  const roles = [ca, relay, scribe, member];
  await scribe.daemon.eventually("the CA's grant", async () => {
    const { config, self } = await scribe.daemon.status();
    return config?.scribe === self.id;
  });

  const stop = new AbortController();
  const answered = new Set<string>();
  const changing = keepChanging(scribe, answered, stop.signal);
  await Promise.all(roles.map((role) => role.die(killsEach)));
  assert.equal(roles.reduce((sum, { kills }) => sum + kills, 0), roles.length * killsEach);
  // Now that everybody lives, there is an answer to one more at least, however slow the machine is.
  const sofar = answered.size;
  await scribe.daemon.eventually("a change is answered", () => answered.size > sofar);
  stop.abort();
  await changing;

  const { config } = await scribe.daemon.status();
  for (const { daemon, dataDir } of roles) {
    await daemon.eventually(`${dataDir} has what the scribe has`, async () => {
      return (await daemon.status()).config?.hash === config?.hash;
    });
    assertWell(await daemon.status());
    const verified = await runCli({ args: ["audit", "verify"], dataDir });
    assert.equal(verified.code, 0, `${dataDir}: ${verified.stderr}${verified.stdout}`);
  }
  await assertNothingLost(scribe, answered);
  await assertChain(scribe);
  const ledger = await runCli({ args: ["ca", "log", "--verify"], dataDir: ca.dataDir });
  assert.equal(ledger.code, 0, ledger.stderr);
}

/** Adds one record after the other, whatever comes of it. @param answered gets the names of those that were answered with yes */
async function keepChanging(
  scribe: Mortal,
  answered: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  for (let n = 1; !signal.aborted; n++) {
    const record = { name: `r${n}`, type: "A", value: `10.0.${n >> 8}.${n & 255}` };
    try {
      const { status } = await scribe.daemon.api("POST", "/api/dns", record);
      if (status === 200) answered.add(record.name);
    } catch {
      // It was killed before it had answered: nothing was promised.
    }
    await pause(50);
  }
}

function assertWell({ warnings, self }: StatusReport): void {
  const bad = warnings.filter(({ code, severity }) =>
    severity === "error" || code.startsWith("CONFIG_") || code.startsWith("HISTORY_")
  );
  assert.deepEqual(bad, [], self.dataDir);
}

/** Every answered change is in the config and in the audit log. */
async function assertNothingLost(scribe: Mortal, answered: ReadonlySet<string>): Promise<void> {
  const { body } = await scribe.daemon.api("GET", "/api/dns?limit=1000");
  const { records } = body as { records: { name: string }[] };
  const kept = new Set(records.map(({ name }) => name));
  const lost = answered.difference(kept);
  assert.equal(lost.size, 0, `lost: ${[...lost]} of ${answered.size}`);
  const audited = new Set<string>();
  for (let cursor: string | null = ""; cursor !== null;) {
    const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page = (await scribe.daemon.api("GET", `/api/audit?limit=1000${at}`)).body as AuditPage;
    for (const { fields } of page.entries) {
      const name = /"name":"(r\d+)"/.exec(JSON.stringify(fields))?.[1];
      if (name !== undefined) audited.add(name);
    }
    cursor = page.next;
  }
  assert.equal(answered.difference(audited).size, 0, "an answered change is not in the audit log");
}

/** Every version from the first to the one in force is in the scribe's history, each on top of the one before. */
async function assertChain(scribe: Mortal): Promise<void> {
  const { config } = await scribe.daemon.status();
  interface Entry {
    readonly version: string;
    readonly hash: string;
    readonly parent: string | null;
  }
  const entries: Entry[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const at: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const { body } = await scribe.daemon.api("GET", `/api/config/history?limit=1000${at}`);
    const page = body as { entries: Entry[]; next: string | null };
    entries.push(...page.entries);
    cursor = page.next;
  }
  entries.reverse();
  assert.equal(entries.at(-1)?.hash, config?.hash);
  assert.equal(entries.length, config?.version);
  for (const [i, { version, parent }] of entries.entries()) {
    assert.equal(version, `1.${i + 1}`);
    assert.equal(parent, i === 0 ? null : entries[i - 1]!.hash, version);
  }
  const { body } = await scribe.daemon.api("GET", "/api/health");
  assert.equal((body as { ok: boolean }).ok, true, JSON.stringify(body));
}
