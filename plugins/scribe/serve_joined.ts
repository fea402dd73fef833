import { z } from "zod";
import { readLine } from "../../core/control/read_line.ts";
import { errorCode, errorText } from "../../core/errors/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { Deadline, type IncomingStream, underSignal } from "../../core/streams/mod.ts";
import { assignJoined } from "./changes/assign_joined.ts";
import { entryOf } from "./changes/node_entry.ts";
import { ScribeError } from "./errors.ts";
import type { JoinedNodes } from "./joined_nodes.ts";
import { parseRequest } from "./request.ts";
import type { Scribe } from "./scribe.ts";

/** On it the CA tells who joined with which token. */
export const joinedProtocol = "scribe.joined";

export interface JoinedOptions {
  readonly scribe: Scribe;
  readonly joined: JoinedNodes;
  readonly now: () => number;
  readonly log: LogFn;
  readonly signal: AbortSignal;
  /** A node has joined, which may be an ephemeral one. */
  readonly added: () => void;
}

const report = z.object({
  node: z.string().regex(/^[0-9a-f]{32}$/, "is not a node id"),
  /** The token's id, not the token. */
  token: z.string().regex(/^[0-9a-f]{16}$/, "is not a token's id"),
});

type Report = z.infer<typeof report>;

const maxLineBytes = 1_024;
const timeoutMs = 20_000;

/** One line in, one line out: `{"ok":true}` once the token's promises to the node are kept, however often it is told. */
export async function serveJoined(
  stream: ByteStream,
  from: IncomingStream,
  options: JoinedOptions,
): Promise<void> {
  const { log, signal } = options;
  using deadline = new Deadline(timeoutMs, signal);
  await underSignal(stream, deadline.signal, "the word of a join", async () => {
    const { line } = await readLine(stream, maxLineBytes);
    let answer: { readonly ok: boolean; readonly code?: string; readonly error?: string };
    try {
      requireCa(from);
      await keepPromises(parseRequest(report, parseLine(line)), options);
      answer = { ok: true };
    } catch (error) {
      answer = { ok: false, code: errorCode(error), error: errorText(error) };
      log("warn", "what a join token promises was not given", {
        peer: from.origin.id,
        code: errorCode(error),
        error: errorText(error),
      });
    }
    await stream.write(new TextEncoder().encode(`${JSON.stringify(answer)}\n`));
    await stream.closeWrite();
    while (await stream.read() !== null) { /* nothing more is due */ }
  });
}

/** Once for a node and a token: what was taken from the node since is not given again. */
async function keepPromises({ node, token: id }: Report, options: JoinedOptions): Promise<void> {
  const { scribe, joined, now } = options;
  if (joined.has(node, id)) return;
  const { body } = await scribe.mesh.current();
  const token = body.tokens.find((entry) => entry.id === id);
  // One of the CA's own promises nothing; one that was withdrawn promises nothing any more.
  if (token !== undefined) {
    const event = {
      type: "node_joined",
      node,
      about: (config: typeof body) => ({ ...entryOf(config, node) }),
    };
    // No assertion keeps a node out that has its certificate already.
    const conditions = { by: "scribe", force: true };
    await scribe.change(assignJoined, { node, token }, event, conditions);
  }
  joined.add(node, id, token?.ephemeralMs ?? null, now());
  options.added();
}

function requireCa({ origin }: IncomingStream): void {
  if (origin.roles.includes("ca")) return;
  throw new ScribeError("JOINED_DENIED", `${origin.id} is not the network's CA`, {
    node: origin.id,
  });
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new ScribeError("SCRIBE_REQUEST_INVALID", "this is no JSON", {}, cause);
  }
}
