/** Which CAs a node believes, and how one succeeds another: sans-I/O. @module */
export { TrustError, type TrustErrorCode } from "./errors.ts";
export { type RollEffects, RollExchange, type RollNews } from "./roll_exchange.ts";
export { maxRollBytes, type Sign, signRoll, verifyRoll } from "./signed_roll.ts";
export { type OfferedRoll, TrustStore } from "./trust_store.ts";
export type * from "./types.ts";
export type { Trust, TrustAnchor } from "../identity/types.ts";
export { type ErrorFields, PulseError } from "../errors/mod.ts";
