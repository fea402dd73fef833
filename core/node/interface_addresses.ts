/** The machine's addresses. Empty where the process may not look, as on a relay; it then advertises what it is told to. */
export function interfaceAddresses(): string[] {
  try {
    return Deno.networkInterfaces().map((entry) => entry.address);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}
