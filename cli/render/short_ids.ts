/** Fewest characters of an id that are shown. */
const shortest = 8;

/** Beginnings of ids, all of the same length and long enough to tell them apart; commands take them for the whole. */
export function shortIds(ids: readonly string[]): (id: string) => string {
  let length = shortest;
  const longest = Math.max(shortest, ...ids.map((id) => id.length));
  const distinct = new Set(ids).size;
  while (length < longest && new Set(ids.map((id) => id.slice(0, length))).size < distinct) {
    length++;
  }
  return (id) => id.slice(0, length);
}
