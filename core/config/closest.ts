/**
 * The candidate a mistyped word most likely meant: at most one edit (insert, delete, replace, swap of neighbours) per three
 * letters away; undefined when nothing is near.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const bounded = word.slice(0, 40);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(bounded.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(bounded, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment distance. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, before[j - 2]! + 1);
      }
      current.push(value);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
