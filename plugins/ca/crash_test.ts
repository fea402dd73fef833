import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { generateJoinToken, joinTokenId, joinTokenKey } from "../../core/identity/mod.ts";
import { openAuthority } from "./authority.ts";
import { contenderKey, contenders, type CrashReport } from "./crash_testing.ts";
import { Ledger } from "./ledger.ts";
import { testNetwork } from "./testing.ts";

const rounds = 12;
const settings = { network: testNetwork, meshCidr: "10.100.0.0/16", days: 90 };

Deno.test("killed at any point while issuing, the CA loses no certificate and spends no token twice", async () => {
  const directory = await Deno.makeTempDir({ prefix: "pulse-crash-" });
  try {
    const tokens = Array.from({ length: 2000 }, generateJoinToken);
    await Deno.writeTextFile(`${directory}/tokens.json`, JSON.stringify(tokens));
    await addTokens(directory, tokens);

    const reports: CrashReport[] = [];
    let next = 0;
    for (let round = 0; round < rounds; round++) {
      const seen = await runUntilKilled(directory, next, 1 + (round * 7) % 40);
      reports.push(...seen);
      // Begin again with the token that was being used, so that nodes without an answer ask a second time.
      next = Math.max(next, ...seen.map((report) => report.token - 1));
    }
    assert.ok(next > rounds, `only ${next} tokens were reached`);

    checkReports(reports);
    await checkLedger(directory, tokens, reports);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

async function addTokens(directory: string, tokens: readonly string[]): Promise<void> {
  const authority = await openAuthority(directory, Date.now());
  using ledger = Ledger.open(`${directory}/ledger.db`, authority, settings, Date.now());
  // One transaction instead of two thousand: this is preparation.
  const raw = new DatabaseSync(`${directory}/ledger.db`);
  raw.exec("BEGIN");
  const insert = raw.prepare(
    "INSERT INTO tokens (id, mac_key, roles, created_at, max_uses) VALUES (?, ?, '', 0, 1)",
  );
  for (const token of tokens) insert.run(joinTokenId(token), joinTokenKey(token));
  raw.exec("COMMIT");
  raw.close();
  assert.equal(ledger.tokens.list(0).length, tokens.length);
}

/** Starts a CA process, kills it shortly after it has written `lines` lines, and gives everything it wrote. */
async function runUntilKilled(
  directory: string,
  first: number,
  lines: number,
): Promise<CrashReport[]> {
  const script = new URL("./crash_testing.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      `-R=${directory}`,
      `-W=${directory}`,
      script,
      directory,
      String(first),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  let killed = false;
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (!killed && text.split("\n").length > lines) {
      killed = true;
      child.kill("SIGKILL");
    }
  }
  await child.status;
  // The last line may be cut off; a node that was told nothing whole was told nothing.
  return text.split("\n").slice(0, -1).map((line): CrashReport => JSON.parse(line));
}

/** Over all lives of the CA, each token has one winner, and it is always told the same. */
function checkReports(reports: readonly CrashReport[]): void {
  const winners = new Map<number, { node: number; certificate: string }>();
  for (const { token, node, certificate, reason } of reports) {
    if (certificate === null) {
      assert.equal(reason, "token already used");
      continue;
    }
    const winner = winners.get(token);
    if (winner === undefined) winners.set(token, { node, certificate });
    else assert.deepEqual({ node, certificate }, winner, `token ${token}`);
  }
  for (const { token, certificate } of reports) {
    if (certificate !== null) continue;
    // Who was refused was refused because of somebody: the winner, told now or in the next life.
    assert.ok(winners.has(token) || token >= Math.max(...winners.keys()), `token ${token}`);
  }
}

async function checkLedger(
  directory: string,
  tokens: readonly string[],
  reports: readonly CrashReport[],
): Promise<void> {
  const authority = await openAuthority(directory, Date.now());
  using ledger = Ledger.open(`${directory}/ledger.db`, authority, settings, Date.now());
  const raw = new DatabaseSync(`${directory}/ledger.db`);
  const count = (query: string) => Number(raw.prepare(query).get()!["n"]);
  assert.equal(raw.prepare("PRAGMA integrity_check").get()!["integrity_check"], "ok");
  assert.equal(count("SELECT count(*) AS n FROM tokens WHERE uses > 1"), 0);
  const uses = count("SELECT sum(uses) AS n FROM tokens");
  assert.equal(count("SELECT count(*) AS n FROM token_uses"), uses);
  assert.equal(count("SELECT count(*) AS n FROM issued"), uses);
  const addresses = count("SELECT count(DISTINCT mesh_ipv4) AS n FROM nodes");
  assert.equal(addresses, uses);
  raw.close();
  const verdict = ledger.audit.verify();
  assert.equal(verdict.brokenAt, null, verdict.reason ?? "");
  const issued = ledger.audit.list(100_000).filter((e) => e.type === "certificate_issued");
  assert.equal(issued.length, uses);
  // Every certificate a node was given is still known, for the same use of the same token.
  for (const { token, node, certificate } of reports) {
    if (certificate === null) continue;
    const key = contenderKey(token, node);
    const known = ledger.nodes.byTokenUse(joinTokenId(tokens[token]!), key.publicKey);
    assert.equal(known && hash("sha256", known.der, "hex"), certificate);
  }
  assert.ok(contenders > 1);
}
