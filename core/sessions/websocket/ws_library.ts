/** The `ws` package with the types it lacks, and the options every socket of ours has. @module */
// @ts-types="./ws_types.d.ts"
import { WebSocket, WebSocketServer } from "ws";

export { WebSocket, WebSocketServer };
export type { ClientOptions } from "./ws_types.d.ts";

/**
 * No compression (it is bulk of encrypted or packed data, and a way to make a receiver allocate), no fragments, and a peer
 * that sends byte by byte cannot make us hold an object per byte. `ws` pings are not answered: yamux has its own, with a bound.
 */
export const commonOptions = {
  perMessageDeflate: false,
  maxFragments: 1,
  maxBufferedChunks: 4096,
  closeTimeout: 2_000,
  autoPong: false,
} as const;
