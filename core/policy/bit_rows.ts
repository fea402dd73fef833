/** A row has one bit for each rule: set where the rule matches on one side of a flow. */
export type BitRow = Uint32Array<ArrayBuffer>;

/** A row for so many rules, all bits clear. */
export function emptyRow(rules: number): BitRow {
  return new Uint32Array((rules + 31) >>> 5);
}

export function setBits(row: BitRow, bits: readonly number[] | undefined): void {
  if (bits === undefined) return;
  for (const bit of bits) row[bit >>> 5]! |= 1 << (bit & 31);
}

export function hasBit(row: BitRow, bit: number): boolean {
  return (row[bit >>> 5]! >>> (bit & 31) & 1) === 1;
}
