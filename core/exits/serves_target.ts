import { contains, parseCidr } from "../address/mod.ts";
import { reservedRanges, routedBytes } from "./ranges.ts";

/** Whether an exit for these ranges may lead to the address: it lies in one of them and not in the mesh. */
export function servesTarget(
  address: string,
  ranges: readonly string[],
  meshCidrs: readonly string[],
): boolean {
  const bytes = routedBytes(address);
  if (bytes === null || reservedRanges(meshCidrs).some((range) => contains(range, bytes))) {
    return false;
  }
  return ranges.some((text) => {
    const range = parseCidr(text);
    return range !== null && contains(range, bytes);
  });
}
