import { emptyBody } from "./empty_body.ts";
import type { SignedConfig } from "./signed_config.ts";
import type { SignedGrant } from "./grant.ts";
import type { ConfigBody } from "./types.ts";

/** What holds now. Before the first config that is nothing, in the range of addresses the CA's grant names. */
export function bodyInForce(
  { config, grant }: { readonly config: SignedConfig | null; readonly grant: SignedGrant | null },
): ConfigBody {
  return config?.document.body ??
    { ...emptyBody, meshCidr: grant?.grant.meshCidr ?? emptyBody.meshCidr };
}
