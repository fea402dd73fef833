import type { Json } from "../core/plugin/types.ts";

/** A request body without the keys that were not given. */
export function compactBody(body: { readonly [key: string]: Json | undefined }): Json {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}
