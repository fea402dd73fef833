import type { NodeCertificate, NodeId } from "../identity/types.ts";
import { LinkRefusedError } from "../sessions/errors.ts";
import { SessionCloseCode } from "../sessions/types.ts";
import { StreamError, type StreamHeader } from "../streams/mod.ts";

/** Links one node keeps at most; a flood of members cannot exhaust what the others need. */
export const maxLinks = 1024;

export interface AdmissionOptions {
  readonly self: NodeId;
  /** Peers linked now. */
  linked(): readonly NodeId[];
}

/** Who may link, and whose streams may pass, once certificates have been checked. */
export class Admission {
  readonly #options: AdmissionOptions;
  #revoked: ReadonlySet<NodeId> = new Set();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get revoked(): ReadonlySet<NodeId> {
    return this.#revoked;
  }

  /** Exactly these get nothing from now on. */
  setRevoked(ids: Iterable<NodeId>): void {
    this.#revoked = new Set(ids);
  }

  /** The last word on a peer whose certificate is valid. @throws {LinkRefusedError} */
  admit(peer: NodeCertificate): void {
    const { self } = this.#options;
    if (peer.id === self) {
      throw new LinkRefusedError(
        "The address leads back to this node itself",
        SessionCloseCode.self,
      );
    }
    if (this.#revoked.has(peer.id)) {
      throw new LinkRefusedError("The node has been revoked", SessionCloseCode.revoked, {
        peer: peer.id,
      });
    }
    const peers = this.#options.linked();
    if (peers.length >= maxLinks && !peers.includes(peer.id)) {
      throw new LinkRefusedError(
        `The node already keeps ${maxLinks} links`,
        SessionCloseCode.overLimit,
      );
    }
  }

  /** May a stream with this header pass or end here? @throws {StreamError} */
  authorize(header: StreamHeader): void {
    for (const id of header.path) {
      if (this.#revoked.has(id)) {
        throw new StreamError("STREAM_DENIED", `Node ${id} on the path has been revoked`);
      }
    }
  }
}
