import { join } from "node:path";
import { errorText } from "../../core/errors/mod.ts";
import { type Role, writeFileAtomic } from "../../core/identity/mod.ts";
import { signCsr } from "../../plugins/ca/sign_csr.ts";
import type { CaSignCommand } from "../command_line/command.ts";
import { dataDirOf, printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { UsageError } from "../usage_error.ts";

const maxRequestBytes = 16 * 1024;

/** Signs a node's request where the CA lies, without a mesh. The two files go into the node's data directory. */
export async function caSign(command: CaSignCommand, io: CliIo): Promise<number> {
  const directory = command.caDir ?? join(dataDirOf(command, io), "ca");
  const csr = await readRequest(command.csr);
  const roles = command.roles as readonly Role[];
  const signed = await signCsr(directory, csr, { now: Date.now(), roles });
  const certificate = join(command.out, "identity.crt");
  const anchor = join(command.out, "ca.crt");
  await writeFileAtomic(certificate, signed.certificatePem, { mode: 0o644 });
  await writeFileAtomic(anchor, signed.anchorPem, { mode: 0o644 });
  if (command.json) printJson(io, { certificate, anchor });
  else io.stdout(`signed: put ${certificate} and ${anchor} into the node's data directory\n`);
  return exitCode.ok;
}

async function readRequest(path: string): Promise<string> {
  try {
    if (path === "-") return await readLimited(Deno.stdin.readable);
    using file = await Deno.open(path, { read: true });
    return await readLimited(file.readable);
  } catch (cause) {
    throw new UsageError(`--csr ${path} cannot be read: ${errorText(cause)}`, cause);
  }
}

async function readLimited(stream: ReadableStream<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const part of stream) {
    total += part.length;
    if (total > maxRequestBytes) throw new Error(`it is larger than ${maxRequestBytes} bytes`);
    parts.push(part);
  }
  return new TextDecoder().decode(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}
