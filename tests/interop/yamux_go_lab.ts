/** Runs hashicorp's yamux as the other end of a TCP connection. @module */
import { join } from "node:path";
import { type BytePipe, YamuxSession } from "../../core/sessions/yamux/mod.ts";
import { goPath } from "./go_build.ts";
import { requires, type Verdict } from "../lab/requires.ts";

const YAMUX = join(goPath, "src/github.com/hashicorp/yamux");

/** The Go toolchain and Debian's golang-github-hashicorp-yamux-dev. */
export function goYamuxAvailable(): Verdict {
  const verdict = requires({ go: true });
  if (verdict.ignore) return verdict;
  try {
    Deno.statSync(YAMUX);
    return verdict;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { ignore: true, reason: "needs the package golang-github-hashicorp-yamux-dev" };
  }
}

/** A TCP connection as yamux's pipe. */
class TcpPipe implements BytePipe {
  readonly #conn: Deno.TcpConn;
  #closed = false;
  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) at += await this.#conn.write(chunk.subarray(at));
  }
  async read(): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      const length = await this.#conn.read(buffer);
      return length === null ? null : buffer.subarray(0, length);
    } catch (error) {
      if (this.#closed) return null;
      throw error;
    }
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }
}

export interface GoPeer extends AsyncDisposable {
  readonly session: YamuxSession;
  /** Everything the peer has printed, once it has ended. */
  output(): Promise<string>;
}

/** Runs the peer in the other role than `role` and connects to it. */
export async function runGoPeer(
  binary: string,
  role: "client" | "server",
  backlog?: number,
): Promise<GoPeer> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const child = new Deno.Command(binary, {
    args: [
      role === "client" ? "server" : "client",
      `127.0.0.1:${listener.addr.port}`,
      ...(backlog === undefined ? [] : [String(backlog)]),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const ended = child.output();
  const session = new YamuxSession(new TcpPipe(await listener.accept()), {
    role,
    now: () => performance.now(),
  });
  const output = async () => new TextDecoder().decode((await ended).stdout);
  return {
    session,
    output,
    async [Symbol.asyncDispose]() {
      await session.close();
      await output();
    },
  };
}
