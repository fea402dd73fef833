/** Which transport to dial, and when to dial again. @module */
export { Backoff, type BackoffOptions } from "./backoff.ts";
export { dialBest, type DialBestOptions } from "./dialer.ts";
