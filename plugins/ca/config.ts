import { z } from "zod";
import {
  defaultMeshCidr,
  isNetworkName,
  parseJoinToken,
  parseMeshCidr,
} from "../../core/identity/mod.ts";
import type { Json } from "../../core/plugin/types.ts";
import { defaultNodeDays } from "./authority.ts";
import { CaError } from "./errors.ts";

const schema = z.strictObject({
  token: z.string().optional(),
  network: z.string().refine(isNetworkName, "is not a network name").optional(),
  meshCidr: z.string().default(defaultMeshCidr),
  days: z.number().positive().max(398).default(defaultNodeDays),
});

export interface CaConfig {
  /** Master token: unlimited joins. */
  readonly token?: string | undefined;
  /** @default the node's own */
  readonly network?: string | undefined;
  /** @default 10.100.0.0/16 */
  readonly meshCidr: string;
  /** Lifetime of node certificates; fractions are allowed. @default 90 */
  readonly days: number;
}

/**
 * Reads the plugin's configuration.
 * @throws {CaError} CA_CONFIG_INVALID
 * @throws {IdentityError} JOIN_TOKEN_WEAK, MESH_CIDR_INVALID
 */
export function parseConfig(value: Json): CaConfig {
  const result = schema.safeParse(value ?? {});
  if (!result.success) {
    throw new CaError(
      "CA_CONFIG_INVALID",
      `the configuration of the ca plugin is not valid: ${z.prettifyError(result.error)}`,
    );
  }
  const config = result.data;
  parseMeshCidr(config.meshCidr);
  return config.token === undefined ? config : { ...config, token: parseJoinToken(config.token) };
}
