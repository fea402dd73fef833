/** The signed network config: what it says, who may sign it, which one is in force, how it spreads: sans-I/O. @module */
export { bodyInForce } from "./body_in_force.ts";
export { type ConfigState, ConfigStore, type Fork, type Offered } from "./config_store.ts";
export { documentHash, encodeDocument, parseBody, parseDocument } from "./document.ts";
export { type Draft, draftConfig } from "./draft.ts";
export { emptyBody } from "./empty_body.ts";
export { NetConfigError, type NetConfigErrorCode } from "./errors.ts";
export { ConfigExchange, type ExchangeEffects, type ExchangeNews } from "./exchange.ts";
export { type SignedGrant, signGrant, verifyGrant } from "./grant.ts";
export { configLimits, maxSignedConfigBytes, maxSignedGrantBytes } from "./limits.ts";
export { isNodeName, isRecordName, isTag } from "./names.ts";
export { comparePositions, noPosition, positionText } from "./position.ts";
export { openSealedKey, sealKey, sealPublicKey } from "./seal.ts";
export {
  type ConfigTrust,
  signConfig,
  type SignedConfig,
  verifySignedConfig,
} from "./signed_config.ts";
export type * from "./types.ts";
