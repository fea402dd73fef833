import { hash } from "node:crypto";
import { JoinError, type NodeKey, nodeKeyFromPem, pemToDer } from "../../core/identity/mod.ts";
import { derToPem } from "../../core/identity/pem.ts";
import { openAuthority } from "./authority.ts";
import { JoinDesk } from "./join_desk.ts";
import { Ledger } from "./ledger.ts";
import { joinDesk, testNetwork } from "./testing.ts";

/**
 * Support for the crash test only: a CA process that serves joins until it is killed, and says on standard output what each node was
 * told, once the node has been told.
 */

/** Nodes that compete for each token. */
export const contenders = 3;

/** One line of output: what contender `node` of token number `token` got. */
export interface CrashReport {
  readonly token: number;
  readonly node: number;
  /** SHA-256 over the certificate, or null when refused. */
  readonly certificate: string | null;
  readonly reason: string | null;
}

/** The same key for the same contender in every process. */
export function contenderKey(token: number, node: number): NodeKey {
  const seed = hash("sha256", `contender ${token} ${node}`, "hex");
  // RFC 8410: PKCS#8 of an Ed25519 key is this and the seed.
  return nodeKeyFromPem(
    derToPem(Uint8Array.fromHex(`302e020100300506032b657004220420${seed}`), "PRIVATE KEY"),
  );
}

async function main(directory: string, first: number): Promise<void> {
  const now = () => Date.now();
  const tokens: string[] = JSON.parse(await Deno.readTextFile(`${directory}/tokens.json`));
  const authority = await openAuthority(directory, now());
  const settings = { network: testNetwork, meshCidr: "10.100.0.0/16", days: 90 };
  const ledger = Ledger.open(`${directory}/ledger.db`, authority, settings, now());
  const desk = new JoinDesk({
    ledger,
    network: testNetwork,
    log: () => {},
    now,
    signal: new AbortController().signal,
  });
  const output = new TextEncoder();
  const report = (line: CrashReport) => {
    Deno.stdout.writeSync(output.encode(JSON.stringify(line) + "\n"));
  };
  for (let token = first; token < tokens.length; token++) {
    await Promise.all(Array.from({ length: contenders }, async (_, node) => {
      try {
        const key = contenderKey(token, node);
        const { certificatePem } = await joinDesk(desk, tokens[token]!, { key });
        const certificate = hash("sha256", pemToDer(certificatePem), "hex");
        report({ token, node, certificate, reason: null });
      } catch (error) {
        if (!(error instanceof JoinError)) throw error;
        report({ token, node, certificate: null, reason: String(error.fields["reason"]) });
      }
    }));
  }
}

if (import.meta.main) await main(Deno.args[0]!, Number(Deno.args[1]));
