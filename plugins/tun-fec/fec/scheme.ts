/** How segments are protected. */
export interface FecScheme {
  /** Segments in a group; 0 switches protection off. */
  readonly group: number;
  /** Parity segments for each group. */
  readonly rows: number;
  /** Groups that are interleaved, so that a burst of losses is shared out among them. */
  readonly depth: number;
}

export const noFec: FecScheme = { group: 0, rows: 0, depth: 1 };

/** Bytes of parity for each byte it covers, at most. */
export const overheadCap = 1 / 3;
