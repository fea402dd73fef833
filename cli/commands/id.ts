import { join } from "node:path";
import { dataFiles } from "../../core/control/types.ts";
import { prepareDataDir } from "../../core/node/data_dir.ts";
import {
  createCsr,
  defaultNetworkName,
  derToPem,
  loadCredentials,
  loadOrCreateNodeKey,
  parseNetworkName,
} from "../../core/identity/mod.ts";
import type { IdCommand } from "../command_line/command.ts";
import { dataDirOf, printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

/** The node's id, and with `--csr` the request a CA signs offline. Makes the key when there is none. */
export async function id(command: IdCommand, io: CliIo): Promise<number> {
  const dataDir = dataDirOf(command, io);
  await prepareDataDir(dataDir);
  const key = await loadOrCreateNodeKey(join(dataDir, dataFiles.key));
  const credentials = await loadCredentials(dataDir, { now: Date.now(), ignoreDates: true });
  const network = command.network ?? credentials?.certificate.network;
  if (command.csr) {
    const csr = await createCsr(key, parseNetworkName(network ?? defaultNetworkName));
    const pem = derToPem(csr, "CERTIFICATE REQUEST");
    if (command.json) printJson(io, { id: key.id, csr: pem });
    else io.stdout(pem);
    return exitCode.ok;
  }
  const meshAddresses = credentials?.certificate.meshAddresses ?? [];
  if (command.json) {
    printJson(io, {
      id: key.id,
      joined: credentials !== null,
      network: network ?? null,
      meshAddresses,
    });
  } else {
    const mesh = meshAddresses.length === 0 ? "not joined" : `mesh: ${meshAddresses.join(", ")}`;
    io.stdout(`${key.id} (${mesh})\n`);
  }
  return exitCode.ok;
}
