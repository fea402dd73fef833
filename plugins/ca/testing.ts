import { channelPair } from "../../core/identity/channel_testing.ts";
import { createCsr } from "../../core/identity/csr.ts";
import {
  generateJoinToken,
  generateNodeKey,
  type JoinChannel,
  joinNetwork,
  type JoinOptions,
  type JoinResult,
  joinTokenId,
  joinTokenKey,
  type NodeKey,
} from "../../core/identity/mod.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { type Authority, openAuthority } from "./authority.ts";
import { JoinDesk } from "./join_desk.ts";
import type { LedgerSettings } from "./issuing.ts";
import { Ledger } from "./ledger.ts";
import type { NewToken } from "./token_store.ts";

/** Support for tests only: a CA in a directory of its own. */

export interface TestDesk extends AsyncDisposable {
  readonly directory: string;
  readonly authority: Authority;
  readonly ledger: Ledger;
  readonly desk: JoinDesk;
  readonly logged: string[];
  /** A token nobody has used yet. */
  token(options?: Partial<Pick<NewToken, "maxUses" | "expiresAt" | "roles">>): string;
  /** A join over a conversation in memory, optionally through somebody in the middle. */
  join(token: string, options?: Partial<JoinOptions>, middle?: Middle): Promise<JoinResult>;
}

/** Sits between node and CA. */
export type Middle = (node: JoinChannel, ca: JoinChannel) => Promise<void>;

export const testNetwork = "corp";

export async function openTestDesk(settings: Partial<LedgerSettings> = {}): Promise<TestDesk> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-ca-" });
  const authority = await openAuthority(directory, Date.now());
  const ledger = Ledger.open(`${directory}/ledger.db`, authority, {
    network: testNetwork,
    meshCidr: "10.100.0.0/16",
    days: 90,
    ...settings,
  }, Date.now());
  const stop = new AbortController();
  const logged: string[] = [];
  const desk = new JoinDesk({
    ledger,
    network: testNetwork,
    log: (level, message) => logged.push(`${level} ${message}`),
    now: () => Date.now(),
    signal: stop.signal,
  });
  return {
    directory,
    authority,
    ledger,
    desk,
    logged,
    token: (options = {}) => addToken(ledger, options),
    join: (token, options = {}, middle) => joinDesk(desk, token, options, middle),
    async [Symbol.asyncDispose]() {
      stop.abort();
      ledger[Symbol.dispose]();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

export function addToken(
  ledger: Ledger,
  options: Partial<Pick<NewToken, "maxUses" | "expiresAt" | "roles">> = {},
): string {
  const token = generateJoinToken();
  ledger.createToken({
    id: joinTokenId(token),
    macKey: joinTokenKey(token),
    roles: [],
    expiresAt: null,
    maxUses: 1,
    ...options,
  }, Date.now());
  return token;
}

let sources = 0;

/** A join at this desk, optionally through somebody in the middle. */
export async function joinDesk(
  desk: JoinDesk,
  token: string,
  options: Partial<JoinOptions>,
  middle?: Middle,
): Promise<JoinResult> {
  // A source of its own for each join, so that the limit for one source stays out of the way.
  const [node, nodeFar] = channelPair(`source ${++sources}`);
  const [caFar, ca] = middle === undefined ? [node, nodeFar] : channelPair(`source ${sources}`);
  const carried = middle?.(nodeFar, caFar).finally(() => {
    nodeFar.close();
    caFar.close();
  });
  const served = desk.serve(ca).finally(() => ca.close());
  try {
    return await joinNetwork(node, {
      key: generateNodeKey(),
      network: testNetwork,
      token,
      now: Date.now(),
      ...options,
    });
  } finally {
    node.close();
    caFar.close();
    await served;
    await carried;
  }
}

/** What `Ledger.join` takes, for a node with this key. */
export async function grantFor(key: NodeKey, token: string, network = testNetwork) {
  return {
    tokenId: joinTokenId(token),
    publicKey: key.publicKey,
    csr: await createCsr(key, network),
    via: "test",
  };
}

/** Two ends of one byte stream in memory. */
export function streamPair(): [ByteStream, ByteStream] {
  const [left, right] = channelPair();
  const end = (channel: typeof left): ByteStream => {
    const closed = Promise.withResolvers<void>();
    return {
      read: async () => {
        const chunk = await channel.receive();
        return chunk === null || chunk.length === 0 ? null : chunk;
      },
      write: (chunk) => channel.send(chunk),
      // An empty message stands for the end of this direction.
      closeWrite: () => channel.send(new Uint8Array(0)),
      reset: () => {
        channel.close();
        closed.resolve();
      },
      closed: closed.promise,
      [Symbol.asyncDispose]: () => {
        channel.close();
        closed.resolve();
        return Promise.resolve();
      },
    };
  };
  return [end(left), end(right)];
}
