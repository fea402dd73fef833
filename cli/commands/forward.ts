import { join } from "node:path";
import { parseListen } from "../../core/config/addresses.ts";
import { parseHostPort } from "../../core/address/mod.ts";
import { targetPort } from "../../core/control/tunnel_protocol.ts";
import { dataFiles } from "../../core/control/types.ts";
import { errorText, PulseError } from "../../core/errors/mod.ts";
import { escapeText } from "../../core/log/escape_text.ts";
import type { ForwardCommand } from "../command_line/command.ts";
import { dataDirOf, printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { serveForward } from "../tunnel/serve_forward.ts";

/** Listens here and carries every connection to the target at the node, until it is interrupted. */
export async function forward(command: ForwardCommand, io: CliIo): Promise<number> {
  const { node, dest } = command;
  targetPort(dest);
  const { host, port } = parseHostPort(parseListen(command.local, "127.0.0.1"));
  // Better to hear now than at the first connection that there is no daemon.
  await withClient(command, io, (client) => client.ping());
  const signal = io.interrupted();
  using listener = listen(host, port);
  const local = { host: listener.addr.hostname, port: listener.addr.port };
  const at = local.host.includes(":")
    ? `[${local.host}]:${local.port}`
    : `${local.host}:${local.port}`;
  if (command.json) printJson(io, { local: at, node: node ?? null, dest });
  else {
    const where = node === undefined ? "through an exit" : `at node ${escapeText(node)}`;
    io.stderr(`forwarding ${at} to ${escapeText(dest)} ${where}\n`);
  }
  await serveForward(listener, {
    endpoint: { path: join(dataDirOf(command, io), dataFiles.tunnelSocket) },
    request: { target: dest, ...(node !== undefined && { node }) },
    signal,
    failed: (error) => io.stderr(`pulse: ${escapeText(errorText(error))}\n`),
  });
  return exitCode.ok;
}

function listen(hostname: string, port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (cause) {
    throw new PulseError(
      "FORWARD_LISTEN",
      `${hostname}:${port} cannot be listened on (${errorText(cause)}); choose another --local`,
      {},
      cause,
    );
  }
}
