import type { NodeId } from "../../../core/identity/types.ts";
import type { ConfigBody } from "../../../core/netconfig/types.ts";

/** A node as the directory shows it. */
export interface KnownNode {
  readonly id: NodeId;
  readonly meshAddresses: readonly string[];
}

/** What a change may look at besides the config itself. */
export interface ChangeContext {
  /** Wall clock, milliseconds. */
  readonly now: number;
  /** The scribe. */
  readonly self: NodeId;
  /** Nodes of the mesh as far as the scribe sees it. */
  readonly nodes: readonly KnownNode[];
}

/** What a change makes of a config. */
export interface ChangeResult {
  /** The very body that came in when there was nothing to change. */
  readonly body: ConfigBody;
  /** What was changed, for people. */
  readonly note: string;
}

/**
 * One edit of the network config, without I/O.
 * @throws {ScribeError} the edit makes no sense
 */
export type Change<Argument> = (
  body: ConfigBody,
  argument: Argument,
  context: ChangeContext,
) => ChangeResult;
