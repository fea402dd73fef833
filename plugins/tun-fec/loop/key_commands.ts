import type { DirectionKey } from "../keys/key_agreement.ts";
import type { Channel } from "./channel.ts";
import type { Peer } from "./peer.ts";
import type { LoopPorts } from "./ports.ts";
import { ReceiveKey } from "./receive_key.ts";
import { SealKey } from "./seal_key.ts";
import type { LoopState } from "./state.ts";

/** Segments under the key are opened from now on. */
export function receiveWith(
  { receivers }: LoopState,
  peer: Peer,
  key: DirectionKey,
  ports: LoopPorts,
): void {
  const known = receivers.get(key.receiver);
  // Told twice, it must not forget what it has seen.
  if (known !== undefined) return;
  const made = new ReceiveKey(peer, key, ports.cipher(key));
  receivers.set(key.receiver, made);
  peer.receiving.push(made);
}

/** Segments for the peer are sealed with the key from now on. */
export function sealWith(peer: Peer, key: DirectionKey, ports: LoopPorts): void {
  if (peer.sealing?.is(key) === true) return;
  silence(peer);
  peer.sealing = new SealKey(key, ports.memory, ports.cipher(key));
}

/** Nothing is sealed for the peer any more. */
export function silence(peer: Peer | undefined): void {
  peer?.sealing?.[Symbol.dispose]();
  if (peer !== undefined) peer.sealing = undefined;
}

/** Nothing is opened under the keys of an epoch any more. @returns what was being received under them */
export function forgetKey(
  { peers, receivers }: LoopState,
  index: number,
  epoch: number,
): readonly Channel[] {
  const peer = peers.get(index);
  const channels: Channel[] = [];
  for (const key of peer?.receiving.filter((one) => one.epoch === epoch) ?? []) {
    receivers.delete(key.receiver);
    peer!.receiving.splice(peer!.receiving.indexOf(key), 1);
    key[Symbol.dispose]();
    channels.push(...key.channels.filter((channel) => channel !== undefined));
  }
  return channels;
}
