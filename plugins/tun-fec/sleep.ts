/** Ends early, and without an error, when the signal says so. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const done = () => resolve();
  signal.addEventListener("abort", done, { once: true });
  await promise;
  signal.removeEventListener("abort", done);
  clearTimeout(timer);
}
