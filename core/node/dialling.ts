import { lookup } from "node:dns/promises";
import { dialBest } from "../sessions/dial/mod.ts";
import { defaultSessionLimits, type LinkPolicy } from "../sessions/types.ts";
import { WebSocketTransport } from "../sessions/websocket/mod.ts";
import type { TaskSet } from "../tasks/mod.ts";
import { DoorCalls } from "./door_calls.ts";
import type { LinkManager } from "./link_manager.ts";
import type { Listeners } from "./listeners.ts";
import type { NodeOptions } from "./node_options.ts";
import type { NodeTrust } from "./node_trust.ts";
import type { Notifier } from "./notifier.ts";
import { PeerAddresses } from "./peer_addresses.ts";
import { PeerDialler } from "./peer_dialler.ts";

/** What dialling goes by. */
export interface DiallingNode {
  readonly listeners: Listeners;
  readonly policy: LinkPolicy;
  readonly trust: NodeTrust;
  readonly links: LinkManager;
  /** Fires whenever a link comes up, changes or goes. */
  readonly changed: Notifier;
  readonly tasks: TaskSet;
  readonly random: () => number;
}

/** What keeps the links of a node up, and what knows where the peers are that the operator named. */
export function dialling(
  { peers, clock, log, credentials, websocket: overWebSocket }: NodeOptions,
  { listeners, policy, trust, links, changed, tasks, random }: DiallingNode,
): { readonly dialler: PeerDialler; readonly peerAddresses: PeerAddresses } {
  const { quic } = listeners;
  const websocket = overWebSocket
    ? new WebSocketTransport({ policy, limits: defaultSessionLimits })
    : undefined;
  const door = new DoorCalls({ trust, clock, log, tasks });
  const dialler = new PeerDialler({
    self: credentials.key.id,
    random,
    log,
    changed,
    link: (peer) => links.primary(peer),
    onSession: (session) => links.add(session),
    onFailure: (address, error, signal) => door.ask(address, error, signal),
    dial: (target, signal) => dialBest(target, { transports: { quic, websocket }, signal }),
    dialQuic: quic && ((target, signal) => quic.dial(target, { signal })),
  });
  const peerAddresses = new PeerAddresses({
    peers,
    now: () => clock.now(),
    resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  });
  return { dialler, peerAddresses };
}
