import type { Impairments, LineCounts } from "./impaired_line.ts";
import { readLines } from "./lines.ts";
import type { Lab } from "./namespaces.ts";

export interface ImpairedWireOptions {
  readonly lab: Lab;
  /** Where it runs: a node that both ends reach. */
  readonly node: string;
  /** Its own address there. */
  readonly address: string;
  /** The sockets that it connects, `10.77.0.1:4000`. */
  readonly ends: readonly [string, string];
  readonly impairments: Impairments;
  /** The same seed gives the same faults. */
  readonly seed: string;
}

/** A wire for UDP between two sockets, which loses, reorders and repeats datagrams; each end sees the other at this one's port. */
export class ImpairedWire {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;

  private constructor(child: Deno.ChildProcess, lines: AsyncGenerator<string>, port: number) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
  }

  /** It ends with the lab. */
  static async start(options: ImpairedWireOptions): Promise<ImpairedWire> {
    const { lab, node, address, ends, impairments, seed } = options;
    const program = new URL("./fixtures/impaired_wire.ts", import.meta.url).pathname;
    const args = [address, ...ends, seed, JSON.stringify(impairments)];
    const argv = [Deno.execPath(), "run", "-A", "--no-check", "--quiet", program, ...args];
    const child = lab.spawn(node, argv, { stdin: "piped", stdout: "piped" });
    const lines = readLines(child.stdout);
    const port = Number((await lines.next()).value);
    if (!(port > 0)) throw new Error(`the wire has not started: ${(await child.status).code}`);
    return new ImpairedWire(child, lines, port);
  }

  /** Ends it. @returns what it has done to what went to the first end, and to the second */
  async stop(): Promise<readonly [LineCounts, LineCounts]> {
    await this.#child.stdin.close();
    const { value } = await this.#lines.next();
    await this.#lines.return(undefined);
    await this.#child.status;
    return JSON.parse(value ?? "null");
  }
}
