/** The part of npm:ws 8.23 that is used here: the package has no types of its own, and @types/ws brings all of Node's. */
import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

export interface ClientOptions {
  readonly key?: string;
  readonly cert?: string;
  readonly ca?: readonly string[];
  readonly servername?: string;
  readonly minVersion?: "TLSv1.3";
  readonly rejectUnauthorized?: boolean;
  readonly checkServerIdentity?: () => undefined;
  readonly perMessageDeflate?: false;
  readonly maxPayload?: number;
  readonly maxFragments?: number;
  readonly maxBufferedChunks?: number;
  readonly followRedirects?: false;
  readonly handshakeTimeout?: number;
  readonly closeTimeout?: number;
  readonly autoPong?: boolean;
  readonly generateMask?: (mask: Buffer) => void;
}

export class WebSocket {
  constructor(address: string, options?: ClientOptions);
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "ping", listener: (data: Buffer) => void): this;
  once(event: "open", listener: () => void): this;
  once(event: "upgrade", listener: (response: IncomingMessage) => void): this;
  once(
    event: "unexpected-response",
    listener: (request: unknown, response: IncomingMessage) => void,
  ): this;
  once(event: "close", listener: (code: number, reason: Buffer) => void): this;
  send(
    data: Uint8Array,
    options: { binary: boolean },
    callback?: (error?: Error | null) => void,
  ): void;
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

export interface ServerOptions {
  readonly noServer: true;
  readonly perMessageDeflate: false;
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  readonly closeTimeout: number;
  readonly clientTracking: false;
  readonly autoPong: boolean;
}

export class WebSocketServer {
  constructor(options: ServerOptions);
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (socket: WebSocket) => void,
  ): void;
}
