import { type FilterVerdict, filterVerdict } from "../filter/types.ts";
import type { DropReason } from "./types.ts";

const ofVerdict: { readonly [verdict in FilterVerdict]: DropReason } = {
  // Never asked for.
  [filterVerdict.pass]: "policy",
  [filterVerdict.source]: "source",
  [filterVerdict.destination]: "destination",
  [filterVerdict.policy]: "policy",
  [filterVerdict.fragment]: "fragment",
  [filterVerdict.protocol]: "protocol",
};

/** What was not carried, by reason. */
export class Drops {
  readonly counts: { [reason in DropReason]?: number } = {};

  add(reason: DropReason, count = 1): void {
    this.counts[reason] = (this.counts[reason] ?? 0) + count;
  }

  addVerdict(verdict: FilterVerdict): void {
    this.add(ofVerdict[verdict]);
  }
}
