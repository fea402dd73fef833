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
/** Rules that a difference looks at before it gives up: bounds the time for policies that share nothing. */
export const maxDiffWork = 20_000_000;
