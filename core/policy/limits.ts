/** Characters of a pattern in a rule. */
export const maxPattern = 128;
/** Port ranges in one rule. */
export const maxPortRanges = 64;
/** Characters of a rule's comment. */
export const maxComment = 200;
/** Rules that an explanation lists one by one, the deciding one always among them. */
export const maxExplained = 256;
/** Entries of a difference between two policies. */
export const maxDiffEntries = 1_000;
/** Words of rows and rules of pairs that a difference looks at: a few seconds at worst, for long policies that share nothing. */
export const maxDiffWork = 200_000_000;
