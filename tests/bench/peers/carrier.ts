import type { Credentials, NodeId } from "../../../core/identity/mod.ts";

/** The part of a byte stream that a measurement needs; `ByteStream` has it. */
export interface BenchStream {
  read(): Promise<Uint8Array | null>;
  write(chunk: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
}

export interface BenchLink extends AsyncDisposable {
  openStream(): Promise<BenchStream>;
}

export interface BenchListener extends AsyncDisposable {
  readonly port: number;
  /** Calls back for every stream a peer opens. */
  serve(onStream: (stream: BenchStream) => Promise<void>): void;
}

/** One way of carrying streams between two processes. */
export interface Carrier {
  /** @param relayPort port of a relay to link with, for carriers that go through one */
  listen(credentials: Credentials, relayPort?: number): Promise<BenchListener>;
  /** @param port of the peer, or of the relay */
  dial(credentials: Credentials, port: number, peer: NodeId): Promise<BenchLink>;
}
