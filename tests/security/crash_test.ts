import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { dataFiles } from "../../core/control/types.ts";
import { errorText } from "../../core/errors/mod.ts";
import { seededRandom } from "../../core/gossip/testing.ts";
import { joinTokenId, loadCredentials, loadNodeKey } from "../../core/identity/mod.ts";
import { loadPeers } from "../../core/node/peers_store.ts";
import { reserveSequences } from "../../core/node/sequence_store.ts";
import { openAuthority } from "../../plugins/ca/authority.ts";
import { Ledger } from "../../plugins/ca/ledger.ts";
import { ledgerFile } from "../../plugins/ca/sign_csr.ts";
import { Contest, type Outcome } from "./fixtures/contest.ts";
import { freePorts } from "./fixtures/free_ports.ts";
import { Mortal } from "./fixtures/mortal.ts";
import { startTcpEcho } from "./fixtures/tcp_echo.ts";
import { keepTransferring, transfer } from "./fixtures/traffic.ts";
import { within } from "./fixtures/within.ts";

const network = "crash";
/** Of each role; 51 in all. */
const killsEach = 17;
const tokens = 40;

Deno.test("killed 51 times at random points while nodes join and bytes flow, CA, relay and leaf come back with everything", async () => {
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
  const [caPort = 0, relayPort = 0, leafPort = 0, socksPort = 0] = freePorts(4);
  await using echo = startTcpEcho();
  const mortal = (name: string, port: number, ...args: string[]) =>
    new Mortal({
      dataDir: join(directory, name),
      args: [
        "--network",
        network,
        "--listen",
        `127.0.0.1:${port}`,
        "--allow-local",
        `${echo.port}`,
        ...args,
      ],
    }, random);

  await using ca = mortal("ca", caPort, "--ca");
  await ca.start();
  const token = async (): Promise<string> => {
    const { status, body } = await ca.daemon.api("POST", "/api/tokens", { maxUses: 1 });
    assert.equal(status, 201);
    return (body as { token: string }).token;
  };
  const [relayToken, leafToken, last] = [await token(), await token(), await token()];
  const prizes = await Promise.all(Array.from({ length: tokens }, token));
  const at = (port: number) => `127.0.0.1:${port}`;
  await using relay = mortal("relay", relayPort, "--join", at(caPort), "--token", relayToken);
  await relay.start();
  await using leaf = mortal(
    "leaf",
    leafPort,
    ...["--join", at(relayPort), "--token", leafToken, "--socks", "--socks-listen", at(socksPort)],
  );
  await leaf.start();
  const roles = [ca, relay, leaf];
  // Killed before it has joined, however often, a node has nothing that it could lose.
  for (const { daemon } of roles) {
    await daemon.eventually("it has joined", async () => (await daemon.status()).certificate);
  }
  const caId = (await ca.daemon.status()).self.id;

  const socks = { host: "127.0.0.1", port: socksPort };
  // The relay's way is only open while relay and CA both live and know each other.
  const doors = [caPort, caPort, relayPort].map((port) => ({ host: "127.0.0.1", port }));
  const contest = new Contest(network, doors);
  const stop = new AbortController();
  const traffic = keepTransferring(() => transfer(socks, caId, echo.port, 300_000), stop.signal);
  const entering = (async () => {
    for (const prize of prizes) {
      contest.enter(prize);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  })();
  await Promise.all(roles.map((role) => role.die(killsEach)));
  assert.equal(roles.reduce((sum, { kills }) => sum + kills, 0), 3 * killsEach);

  // Everybody lives again, so everybody gets an answer, and the bytes flow.
  await entering;
  await within("every contender has its answers", contest.over(), 120_000);
  await leaf.daemon.eventually("a transfer from end to end", async () => {
    await transfer(socks, caId, echo.port, 300_000);
    return true;
  }, 60_000);
  stop.abort();
  const { whole } = await traffic;
  assert.ok(whole > 0, "no transfer ever worked");
  const [latecomer] = await finalJoin(last, doors);
  const held = await Promise.all(roles.map((role) => role.daemon.status()));

  for (const role of [...roles].reverse()) await role[Symbol.asyncDispose]();
  checkOutcomes([...contest.outcomes, latecomer!]);
  await checkLedger(ca.dataDir, [relayToken, leafToken, last, ...prizes], contest.outcomes);
  for (const [index, role] of roles.entries()) {
    await checkDataDir(role.dataDir, held[index]!.certificate?.fingerprint);
  }
}

async function finalJoin(token: string, doors: ConstructorParameters<typeof Contest>[1]) {
  const contest = new Contest(network, doors);
  contest.enter(token);
  await within("a join after it all", contest.over(), 60_000);
  return contest.outcomes;
}

/** Over all lives of the CA each token has one winner, who is told the same each time, and one loser. */
function checkOutcomes(outcomes: readonly Outcome[]): void {
  for (const [tokenId, told] of Map.groupBy(outcomes, (outcome) => outcome.tokenId)) {
    const won = told.filter(({ certificate }) => certificate !== null);
    if (told.length > 1) assert.ok(won.length > 0, `nobody won token ${tokenId}`);
    assert.equal(new Set(won.map(({ key }) => key.id)).size <= 1, true, `two won ${tokenId}`);
    const certificates = new Set(won.map(({ certificate }) => certificate));
    assert.ok(certificates.size <= 1, `the winner of ${tokenId} was told two things`);
  }
}

async function checkLedger(
  dataDir: string,
  tokens: readonly string[],
  outcomes: readonly Outcome[],
): Promise<void> {
  const directory = join(dataDir, "ca");
  const authority = await openAuthority(directory, Date.now());
  const path = join(directory, ledgerFile);
  const settings = { network, meshCidr: "10.100.0.0/16", days: 90 };
  using ledger = Ledger.open(path, authority, settings, Date.now());
  using raw = new DatabaseSync(path, { readOnly: true });
  const count = (query: string) => Number(raw.prepare(query).get()!["n"]);
  assert.equal(raw.prepare("PRAGMA integrity_check").get()!["integrity_check"], "ok");
  assert.equal(count("SELECT count(*) AS n FROM tokens WHERE uses > 1"), 0);
  assert.equal(count("SELECT sum(uses) AS n FROM tokens"), tokens.length);
  assert.equal(count("SELECT count(*) AS n FROM token_uses"), tokens.length);
  const verdict = ledger.audit.verify();
  assert.equal(verdict.brokenAt, null, verdict.reason ?? "");
  for (const { tokenId, key, certificate } of outcomes) {
    const known = ledger.nodes.byTokenUse(tokenId, key.publicKey);
    const fingerprint = known === undefined ? null : hash("sha256", known.der, "hex");
    assert.equal(fingerprint, certificate, `the certificate for token ${tokenId}`);
  }
  const ids = new Set(tokens.map(joinTokenId));
  assert.deepEqual(new Set(ledger.tokens.list(Date.now()).map(({ id }) => id)), ids);
}

/** What a node needs for its next life is there, whole, and its own. */
async function checkDataDir(dataDir: string, fingerprint: string | undefined): Promise<void> {
  const key = await loadNodeKey(join(dataDir, dataFiles.key));
  const credentials = await loadCredentials(dataDir, { now: Date.now(), network });
  assert.equal(credentials?.certificate.id, key.id);
  assert.equal(credentials?.certificate.fingerprint, fingerprint);
  const peers = await loadPeers(join(dataDir, dataFiles.peers));
  assert.ok(peers.length > 0, `${dataDir} remembers nobody`);
  // Every start that got so far reserved a thousand; the file is whole and only ever went up.
  const sequence = await reserveSequences(join(dataDir, dataFiles.state));
  assert.ok(sequence > 8_000, `${dataDir} is at sequence ${sequence}`);
}
