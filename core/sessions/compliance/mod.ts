/** The rules of `Session` as tests. @module */
export { sessionComplianceSuite } from "./session_suite.ts";
export { type MakePair, type SessionPair } from "./suite_support.ts";
