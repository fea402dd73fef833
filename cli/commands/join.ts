import { join as joinPath } from "node:path";
import { parseDialable } from "../../core/config/addresses.ts";
import { dataFiles } from "../../core/control/types.ts";
import { PulseError } from "../../core/errors/mod.ts";
import {
  type Credentials,
  defaultNetworkName,
  loadCredentials,
  loadOrCreateNodeKey,
  parseNetworkName,
  storeCredentials,
} from "../../core/identity/mod.ts";
import { prepareDataDir } from "../../core/node/data_dir.ts";
import { type JoinPlan, joinPlan } from "../../core/node/join_plan.ts";
import { joinThroughRelays } from "../../core/node/join_network.ts";
import type { JoinCommand } from "../command_line/command.ts";
import { dataDirOf, printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { readTokenFile } from "../token_file.ts";

/** Gets this node's certificate from a network's CA, through a relay. A node that is a member already stays as it is. */
export async function join(command: JoinCommand, io: CliIo): Promise<number> {
  const dataDir = dataDirOf(command, io);
  const token = await readTokenFile(command.tokenFile, command.token);
  const stored = await loadCredentials(dataDir, { now: Date.now(), ignoreDates: true });
  const plan = planOf(command, token, stored);
  if (stored !== null) {
    assertSame(stored, plan, dataDir);
    return report(io, command.json, stored, true);
  }
  await prepareDataDir(dataDir);
  const key = await loadOrCreateNodeKey(joinPath(dataDir, dataFiles.key));
  const result = await joinThroughRelays({ ...plan, key, signal: io.interrupted() });
  await storeCredentials(dataDir, result);
  const joined = await loadCredentials(dataDir, { now: Date.now() });
  if (joined === null) {
    throw new PulseError(
      "JOIN_FAILED",
      `The certificate was stored in ${dataDir} and is not there`,
    );
  }
  return report(io, command.json, joined, false);
}

/** An address alone is enough to see that one is a member already; a token is only needed to become one. */
function planOf(
  command: JoinCommand,
  token: string | undefined,
  stored: Credentials | null,
): JoinPlan {
  const target = command.target.trim();
  const plan = joinPlan({
    join: target.startsWith("pls_") ? target : parseDialable(target),
    token: token ?? (stored === null ? null : ""),
    network: parseNetworkName(
      command.network ?? stored?.certificate.network ?? defaultNetworkName,
    ),
    networkGiven: command.network !== undefined,
  });
  if (plan === null) throw new PulseError("JOIN_FAILED", "There is nothing to join");
  return plan;
}

function assertSame(stored: Credentials, plan: JoinPlan, dataDir: string): void {
  const { certificate, anchor } = stored;
  const other = certificate.network !== plan.network
    ? `network ${plan.network}`
    : plan.caFingerprint !== undefined && plan.caFingerprint !== anchor.fingerprint
    ? `another CA (${plan.caFingerprint.slice(0, 16)}...)`
    : undefined;
  if (other === undefined) return;
  throw new PulseError(
    "JOIN_OTHER_NETWORK",
    `This node is a member of network ${certificate.network} (CA ${
      anchor.fingerprint.slice(0, 16)
    }...) and the invite is for ${other}. A node belongs to one network: use another --data-dir`,
    { dataDir, network: certificate.network },
  );
}

function report(io: CliIo, json: boolean, joined: Credentials, already: boolean): number {
  const { id, network, meshAddresses, notAfter } = joined.certificate;
  if (json) {
    printJson(io, {
      id,
      network,
      meshAddresses,
      notAfter: new Date(notAfter).toISOString(),
      already,
    });
  } else {
    io.stdout(
      `${already ? "already joined" : "joined"} ${network} as ${id} (mesh: ${
        meshAddresses.join(", ")
      })\n`,
    );
  }
  return exitCode.ok;
}
