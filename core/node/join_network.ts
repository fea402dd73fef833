import { systemClock } from "../clock/clock.ts";
import { errorCode, errorText, PulseError } from "../errors/mod.ts";
import { type JoinChannel, joinNetwork, type JoinResult, type NodeKey } from "../identity/mod.ts";
import { Deadline } from "../streams/mod.ts";
import { parseHostPort } from "../address/mod.ts";

export interface JoinThroughRelaysOptions {
  /** `host:port`, tried in turn. */
  readonly relays: readonly string[];
  readonly network: string;
  readonly token: string;
  /** SHA-256 of the CA certificate, from the invite. */
  readonly caFingerprint?: string;
  readonly key: NodeKey;
  readonly signal: AbortSignal;
  /** Wall clock, milliseconds. @default the system's */
  readonly now?: () => number;
  /** How a relay is reached. @default WebSocket */
  readonly open?: OpenConversation;
}

export type OpenConversation = (
  options: { readonly host: string; readonly port: number; readonly signal: AbortSignal },
) => Promise<JoinChannel & AsyncDisposable>;

/** A relay that has not taken the connection by then is passed over. */
const connectTimeoutMs = 10_000;

/**
 * Joins through the first relay that works.
 * @throws {JoinError} the CA's own, proven refusal: no other relay could change it
 * @throws {PulseError} JOIN_FAILED lists what happened at each relay
 */
export async function joinThroughRelays(options: JoinThroughRelaysOptions): Promise<JoinResult> {
  const failures: { readonly relay: string; readonly error: unknown }[] = [];
  for (const relay of options.relays) {
    try {
      return await joinThrough(relay, options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (errorCode(error) === "JOIN_REFUSED") throw error;
      failures.push({ relay, error });
    }
  }
  const [first] = failures;
  if (first === undefined) {
    throw new PulseError("JOIN_FAILED", "No relay to join through is named; use an invite code");
  }
  const list = failures.map(({ relay, error }) => `${relay}: ${errorText(error)}`);
  throw new PulseError(
    "JOIN_FAILED",
    `Joining ${options.network} failed. ${list.join("; ")}`,
    {
      relays: failures.map(({ relay }) => relay),
      codes: failures.map(({ error }) => errorCode(error)),
    },
    first.error,
  );
}

async function joinThrough(relay: string, options: JoinThroughRelaysOptions): Promise<JoinResult> {
  const { key, network, token, caFingerprint, signal } = options;
  await using conversation = await open(relay, options);
  return await joinNetwork(conversation, {
    key,
    network,
    token,
    ...(caFingerprint === undefined ? {} : { caFingerprint }),
    now: (options.now ?? (() => systemClock.wall()))(),
    signal,
  });
}

async function open(relay: string, options: JoinThroughRelaysOptions) {
  const { host, port } = parseHostPort(relay);
  const openConversation = options.open ??
    (await import("../sessions/websocket/mod.ts")).openJoinConversation;
  using deadline = new Deadline(connectTimeoutMs, options.signal);
  try {
    return await openConversation({ host, port, signal: deadline.signal });
  } catch (cause) {
    if (!deadline.signal.aborted) throw cause;
    throw new PulseError(
      "JOIN_TIMEOUT",
      `no answer within ${connectTimeoutMs / 1000} s`,
      {},
      cause,
    );
  }
}
