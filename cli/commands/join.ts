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
import { whyRejoin } from "../../core/node/rejoin.ts";
import type { JoinCommand } from "../command_line/command.ts";
import { dataDirOf, printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { readTokenFile } from "../token_file.ts";

/**
 * Gets this node's certificate from a network's CA, through a relay. A node that is a member already stays as it is, unless its certificate
 * is of no more use or `--again` asks for another one.
 */
export async function join(command: JoinCommand, io: CliIo): Promise<number> {
  const dataDir = dataDirOf(command, io);
  const token = await readTokenFile(command.tokenFile, command.token);
  const stored = await loadCredentials(dataDir, { now: Date.now(), ignoreDates: true });
  const plan = planOf(command, token, stored);
  if (stored !== null) {
    const again = command.again || await whyRejoin(dataDir, stored, Date.now()) !== undefined;
    assertSame(stored, plan, dataDir, again);
    if (!again) return report(io, command.json, stored, true);
    if (plan.token === "") throw tokenMissing(command.target);
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
  const invited = target.startsWith("pls_");
  const plan = joinPlan({
    join: invited ? target : parseDialable(target),
    token: token ?? (stored === null || invited ? null : ""),
    network: parseNetworkName(
      command.network ?? stored?.certificate.network ?? defaultNetworkName,
    ),
    networkGiven: command.network !== undefined,
  });
  if (plan === null) throw new PulseError("JOIN_FAILED", "There is nothing to join");
  return plan;
}

/** @param again another CA is what this is about */
function assertSame(stored: Credentials, plan: JoinPlan, dataDir: string, again: boolean): void {
  const { certificate, anchor } = stored;
  const otherNetwork = certificate.network !== plan.network;
  const otherCa = plan.caFingerprint !== undefined && plan.caFingerprint !== anchor.fingerprint;
  if (!otherNetwork && (!otherCa || again)) return;
  const other = otherNetwork
    ? `network ${plan.network}`
    : `another CA (${plan.caFingerprint?.slice(0, 16)}...)`;
  const unless = otherNetwork ? "" : ", or add --again if the CA of this network was replaced";
  throw new PulseError(
    "JOIN_OTHER_NETWORK",
    `This node is a member of network ${certificate.network} (CA ${
      anchor.fingerprint.slice(0, 16)
    }...) and the invite is for ${other}. A node belongs to one network: use another --data-dir${unless}`,
    { dataDir, network: certificate.network },
  );
}

function tokenMissing(target: string): PulseError {
  return new PulseError(
    "JOIN_TOKEN_MISSING",
    `To join through ${target} a token is needed: add --token, or use an invite code`,
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
