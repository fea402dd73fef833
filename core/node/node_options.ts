import type { Clock } from "../clock/clock.ts";
import type { ExitSettings } from "../config/mod.ts";
import type { ServiceReport } from "../gossip/mod.ts";
import type { HostPort } from "../address/mod.ts";
import type { Credentials, JoinConversation, NodeId } from "../identity/mod.ts";
import type { LogFn, NetworkConfigNews } from "../plugin/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import type { IncomingStream } from "../streams/mod.ts";
import type { AdvertisePolicy } from "./advertise.ts";
import type { NetworkConfigStorage } from "./network_config.ts";
import type { SignedRoll } from "../trust/mod.ts";
import type { TrustStorage } from "./node_trust.ts";
import type { RememberedPeer } from "./peers_store.ts";
import type { TargetPolicy } from "./target.ts";

/** What a node is started with. */
export interface NodeOptions {
  readonly network: string;
  readonly credentials: Credentials;
  readonly listen: HostPort;
  readonly advertise: AdvertisePolicy;
  /** This machine's interface addresses as they are now, for a wildcard listener; asked often. */
  readonly interfaces: () => readonly string[];
  readonly peers: readonly HostPort[];
  readonly remembered: readonly RememberedPeer[];
  /** Dial peers that gossip names. Off for a node that may only talk to configured addresses. */
  readonly dialLearned: boolean;
  readonly targets: TargetPolicy;
  readonly quic: boolean;
  readonly websocket: boolean;
  readonly capabilities: readonly string[];
  /** What the mesh is told that this node offers. @default none */
  readonly services?: readonly ServiceReport[];
  /** Ways out of the mesh. @default none */
  readonly exit?: ExitSettings;
  readonly clock: Clock;
  readonly log: LogFn;
  /** Nodes that get nothing from the very beginning. @default none */
  readonly revoked?: readonly NodeId[];
  /** Where the network config is kept. @default nowhere */
  readonly networkConfig?: NetworkConfigStorage;
  /** Where the last word on a CA roll is kept. @default nowhere */
  readonly trust?: TrustStorage;
  /** First gossip sequence of this run, and where the next ones are reserved. */
  readonly initialSequence: number;
  readonly hooks: NodeHooks;
}

/** What the plugins add. */
export interface NodeHooks {
  /** Another network config, or another grant, is in force. */
  networkConfig?(news: NetworkConfigNews): void;
  /** Something is wrong with the network config that was not before, or is right again. */
  networkConfigProblems?(): void;
  /** A CA roll has begun or ended. */
  caRoll?(roll: SignedRoll): void;
  linkUp(peer: NodeId, kind: string): void;
  linkDown(peer: NodeId, reason: string): void;
  protocols(): readonly string[];
  handleStream(protocol: string, stream: ByteStream, from: IncomingStream): Promise<boolean>;
  join(conversation: JoinConversation): Promise<void>;
}
