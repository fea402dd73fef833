import { Errno } from "../libc/errno.ts";
import {
  Flag,
  type NetlinkMessage,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_MIN_TYPE,
  readVerdict,
  type Verdict,
} from "./message.ts";

/**
 * What is to be done after some answers to a dump: read `more`; it is `done`; begin `again`, because the table changed while
 * it was read out, and what came is of no one state; it was `refused`, or is `too-long`.
 */
export type DumpState =
  | { readonly state: "more" | "again" | "too-long" }
  | { readonly state: "done"; readonly messages: NetlinkMessage[] }
  | { readonly state: "refused"; readonly verdict: Verdict };

/** Puts together the answers to one dump. */
export class DumpCollector {
  readonly #sequence: number;
  readonly #most: number;
  readonly #found: NetlinkMessage[] = [];
  #interrupted = false;

  /** @param sequence of the request; other answers are left out */
  constructor(sequence: number, most: number) {
    this.#sequence = sequence;
    this.#most = most;
  }

  /** Takes the messages of one datagram. @throws {FfiError} FFI_MESSAGE */
  take(messages: readonly NetlinkMessage[]): DumpState {
    for (const message of messages) {
      if (message.sequence !== this.#sequence) continue;
      this.#interrupted ||= (message.flags & Flag.interrupted) !== 0;
      if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
        const verdict = readVerdict(message);
        if (this.#interrupted || verdict.errno === Errno.EINTR) return { state: "again" };
        if (verdict.errno !== 0) return { state: "refused", verdict };
        return { state: "done", messages: this.#found };
      }
      if (message.type < NLMSG_MIN_TYPE) continue;
      if (this.#found.length >= this.#most) return { state: "too-long" };
      this.#found.push(message);
    }
    return { state: "more" };
  }
}
