import { errorText } from "../../core/errors/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { Deadline, type IncomingStream, underSignal } from "../../core/streams/mod.ts";
import { JoinRefusal } from "./errors.ts";
import type { Granting } from "./granting.ts";
import type { Ledger } from "./ledger.ts";

/** How long a stream may take in all. */
const timeoutMs = 20_000;

interface StreamOptions {
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly log: LogFn;
}

/** `ca.scribe`: a node asks to be the scribe; one line of JSON is the answer. The stream itself proves who asks. */
export async function serveScribeRequest(
  granting: Granting,
  stream: ByteStream,
  from: IncomingStream,
  options: StreamOptions,
): Promise<void> {
  await answer(stream, options.signal, async () => {
    try {
      const { epoch } = await granting.request(from.origin.id);
      return { granted: true, epoch };
    } catch (error) {
      if (error instanceof JoinRefusal) return { granted: false, reason: error.message };
      const { id } = from.origin;
      options.log("error", "a scribe request failed", { peer: id, error: errorText(error) });
      return { granted: false, reason: "the CA cannot answer at the moment" };
    }
  });
}

/** `ca.tokens`: the scribe asks how often its tokens were used; nobody else is told. */
export async function serveTokenUses(
  ledger: Ledger,
  stream: ByteStream,
  from: IncomingStream,
  options: StreamOptions,
): Promise<void> {
  await answer(stream, options.signal, () => {
    if (ledger.grants.latest()?.scribe !== from.origin.id) {
      return Promise.resolve({ error: `${from.origin.id} is not the scribe` });
    }
    const tokens = ledger.tokens.list(options.now())
      .filter(({ id }) => ledger.configTokens.has(id))
      .map(({ id, uses, status }) => ({ id, uses, status }));
    return Promise.resolve({ tokens });
  });
}

async function answer(
  stream: ByteStream,
  signal: AbortSignal,
  say: () => Promise<unknown>,
): Promise<void> {
  using deadline = new Deadline(timeoutMs, signal);
  await underSignal(stream, deadline.signal, "a question to the CA", async () => {
    await stream.write(new TextEncoder().encode(`${JSON.stringify(await say())}\n`));
    await stream.closeWrite();
    while (await stream.read() !== null) { /* nothing more is due */ }
  });
}
