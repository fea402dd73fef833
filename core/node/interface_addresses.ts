/** They change while a node runs, and are asked for with every news of its own. */
const freshMs = 1_000;

/**
 * The machine's addresses, looked up again when the last look is a second old. Empty where the process may not look, as on a
 * relay; it then advertises what it is told to.
 *
 * @param now monotonic milliseconds
 */
export function interfaceAddresses(
  now: () => number,
  look: () => readonly { readonly address: string }[] = () => Deno.networkInterfaces(),
): () => readonly string[] {
  let seen: readonly string[] = [];
  let seenAt = -Infinity;
  return () => {
    if (now() - seenAt < freshMs) return seen;
    seenAt = now();
    try {
      seen = look().map(({ address }) => address);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
    }
    return seen;
  };
}
