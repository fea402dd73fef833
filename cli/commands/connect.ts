import { join } from "node:path";
import { targetPort } from "../../core/control/tunnel_protocol.ts";
import { openTunnel } from "../../core/control/tunnel_client.ts";
import { dataFiles } from "../../core/control/types.ts";
import { pipe } from "../../core/streams/pipe.ts";
import type { ConnectCommand } from "../command_line/command.ts";
import { dataDirOf } from "../context.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { afterFarEnd } from "../tunnel/after_far_end.ts";
import { StdioStream } from "../tunnel/stdio_stream.ts";

/**
 * Stdin and stdout through the mesh to a target: an ssh ProxyCommand. Ends when both directions have ended. When only the far end has
 * ended, it goes on while stdin has something to say; at a terminal, where nobody types an end of file to a closed connection, it is
 * over at once.
 * @throws {StreamResetError} the tunnel was cut
 */
export async function connect(command: ConnectCommand, io: CliIo): Promise<number> {
  targetPort(command.dest);
  const path = join(dataDirOf(command, io), dataFiles.tunnelSocket);
  const { stream, opened } = await openTunnel({ path }, {
    target: command.dest,
    ...(command.node !== undefined && { node: command.node }),
  }, { signal: io.interrupted() });
  if (command.json) io.stderr(`${JSON.stringify(opened)}\n`);
  let heardAt = performance.now();
  let inputEnded = false;
  const input = {
    read: async (buffer: Uint8Array) => {
      const length = await Deno.stdin.read(buffer);
      heardAt = performance.now();
      inputEnded = length === null;
      return length;
    },
    close: () => Deno.stdin.close(),
  };
  const stdio = new StdioStream({ input, output: Deno.stdout });
  io.interrupted().addEventListener("abort", () => stream.reset(), { once: true });
  const farEnd = Promise.withResolvers<void>();
  const piped = pipe(stdio, endOfReading(stream, farEnd));
  const over = farEnd.promise.then(async () => {
    if (inputEnded) return void await piped;
    const silentMs = () => performance.now() - heardAt;
    await afterFarEnd(
      stream,
      Deno.stdin.isTerminal() ? { silentMs, lingerMs: 0, lookMs: 0 } : { silentMs },
    );
  });
  // Reading stdin cannot be given up: when the tunnel breaks, the end of the process ends that too.
  await Promise.race([piped, over]);
  return exitCode.ok;
}

/** The same stream, telling when its reading side has ended, in order or not. */
function endOfReading(
  stream: ByteStream,
  end: { resolve(): void; reject(error: unknown): void },
): ByteStream {
  return {
    async read() {
      try {
        const chunk = await stream.read();
        if (chunk === null) end.resolve();
        return chunk;
      } catch (error) {
        end.reject(error);
        throw error;
      }
    },
    write: (chunk) => stream.write(chunk),
    closeWrite: () => stream.closeWrite(),
    reset: (code) => stream.reset(code),
    get closed() {
      return stream.closed;
    },
    [Symbol.asyncDispose]: async () => await stream[Symbol.asyncDispose](),
  };
}
