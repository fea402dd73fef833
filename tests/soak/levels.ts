/** What a node holds, at one time. */
export interface Level {
  readonly residentBytes: number;
  readonly files: number;
  /** Lines of `ip route`, `ip rule` and `nft list ruleset`, both families. */
  readonly networkLines: number;
}

/** Resident memory that may come on top without being a leak: the heap's own ups and downs. */
const slackBytes = 24e6;
const slackShare = 1.1;
const slackFiles = 4;

/**
 * What has grown between the second quarter of a run and the last one, by node; empty when nothing has. The first quarter is
 * left out: caches fill, code is compiled.
 */
export function growth(levels: ReadonlyMap<string, readonly Level[]>): string[] {
  const found: string[] = [];
  for (const [node, all] of levels) {
    const quarter = Math.floor(all.length / 4);
    if (quarter === 0) throw new RangeError(`${all.length} samples of ${node} say nothing`);
    const [early, late] = [all.slice(quarter, 2 * quarter), all.slice(-quarter)];
    // The least of each: what is held for good is held at every time.
    const least = (of: readonly Level[], what: keyof Level) =>
      Math.min(...of.map((level) => level[what]));
    const from = (what: keyof Level) => least(early, what);
    const to = (what: keyof Level) => least(late, what);
    if (to("residentBytes") > from("residentBytes") * slackShare + slackBytes) {
      found.push(`${node}: ${mb(from("residentBytes"))} MB became ${mb(to("residentBytes"))}`);
    }
    if (to("files") > from("files") + slackFiles) {
      found.push(`${node}: ${from("files")} open files became ${to("files")}`);
    }
    if (to("networkLines") !== from("networkLines")) {
      found.push(`${node}: ${from("networkLines")} routes and rules became ${to("networkLines")}`);
    }
  }
  return found;
}

export function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
