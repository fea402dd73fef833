import { parseIpv6 } from "../../core/identity/ip_text.ts";

/** Questions a source may ask. */
export interface RateLimitOptions {
  readonly perSecond: number;
  /** Asked at once by a source that was quiet. */
  readonly burst: number;
  /** Sources remembered; beyond it the one that was quiet for longest is forgotten. */
  readonly maxSources: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket for each source: an IPv4 address, or the /64 of an IPv6 one. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  /** In the order of their last question. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  get sources(): number {
    return this.#buckets.size;
  }

  /** @param now monotonic milliseconds */
  allow(address: string, now: number): boolean {
    const { perSecond, burst, maxSources } = this.#options;
    const key = sourceOf(address);
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maxSources) {
      const [oldest = key] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / 1000 * perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

/** A host has a whole /64 to take addresses from. */
function sourceOf(address: string): string {
  return address.includes(":") ? parseIpv6(address)?.subarray(0, 8).toHex() ?? address : address;
}
