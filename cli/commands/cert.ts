import { certificateStatus } from "../../core/node/status.ts";
import { type Credentials, loadCredentials } from "../../core/identity/mod.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import { PulseError } from "../../core/errors/mod.ts";
import type { CertCommand } from "../command_line/command.ts";
import { dataDirOf, printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { formatDuration } from "../render/duration.ts";

/** The node's certificate and its CA. Exit code 1 when it has expired or there is none. */
export async function cert(command: CertCommand, io: CliIo): Promise<number> {
  const dataDir = dataDirOf(command, io);
  const now = Date.now();
  const credentials = await loadCredentials(dataDir, { now, ignoreDates: true });
  if (credentials === null) {
    throw new PulseError(
      "NOT_JOINED",
      `The node in ${dataDir} has no certificate: join a network with "pulse join", or start one with "pulse start --ca"`,
      { dataDir },
    );
  }
  const status = certificateStatus(credentials, now);
  const { certificate } = credentials;
  if (command.json) {
    printJson(io, {
      ...status,
      id: certificate.id,
      network: certificate.network,
      roles: certificate.roles,
      meshAddresses: certificate.meshAddresses,
      caNotAfter: new Date(credentials.anchor.notAfter).toISOString(),
    });
  } else {
    io.stdout(certText(credentials, status));
  }
  return status.status === "expired" ? exitCode.failed : exitCode.ok;
}

function certText(
  { certificate, anchor }: Credentials,
  status: ReturnType<typeof certificateStatus>,
): string {
  const words = {
    valid: "valid",
    expiring: "expiring soon; a running node renews it by itself",
    expired: 'EXPIRED; join again with "pulse join"',
  };
  const rows: readonly (readonly [string, string])[] = [
    ["Node", certificate.id],
    ["Network", certificate.network],
    ["Mesh", certificate.meshAddresses.join(", ")],
    ["Roles", certificate.roles.join(" ") || "-"],
    ["Not before", status.notBefore],
    ["Not after", status.notAfter],
    ["Remaining", formatDuration(status.remainingSeconds)],
    ["Serial", status.serial],
    ["SHA-256", status.fingerprint],
    ["Status", words[status.status]],
    ["CA SHA-256", status.caFingerprint],
    ["CA not after", new Date(anchor.notAfter).toISOString()],
  ];
  return rows.map(([name, value]) => `${name.padEnd(13)} ${escapeText(value)}\n`).join("");
}
