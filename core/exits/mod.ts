/**
 * Routes out of the mesh: which addresses are reached through which node. Sans-I/O.
 * @module
 */
export { ExitTable, type FoundExit } from "./exit_table.ts";
export { isPublic, isWide } from "./ranges.ts";
export { servesTarget } from "./serves_target.ts";
export { underlayMark } from "./underlay_mark.ts";
export type * from "./types.ts";
