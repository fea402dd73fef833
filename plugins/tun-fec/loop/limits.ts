/** Bytes of the ring that datagrams are received into; what waits in it to become whole is given up before it is overwritten. */
export const receiveRing = 4 << 20;
/** Most bytes of a message, and of a packet of the interface with its virtio header. */
export const largestMessage = 1 << 16;
/** Messages and packets taken in one turn before the other side has its own. */
export const turn = 64;

/** Datagrams in one send that every kernel cuts, and its bytes over either family. */
export const trainSegments = 64;
export const trainBytes = 65_400;
/** Trains that are filled at once: one for each path that has something to send in a turn. */
export const openTrains = 16;

/** Sealed bytes that wait for the socket: of one peer, and of all. Beyond it they are dropped. */
export const queuedTrains = 64;
export const queuedTrainsOfPeer = 16;

/** Payload of the smallest segment: 128 of them carry the largest packet. */
export const smallestSlot = 512;
/** Payload of the largest: one Ethernet jumbo frame. */
export const largestSlot = 9000;

/** Packets of one key that wait for missing segments; the oldest is given up for a newer one. */
export const openPackets = 64;
/** Without parity nothing repairs a gap: only what overtook on the way is waited for. */
export const reorderedPackets = 4;
/** Milliseconds a packet waits for its missing segments, without parity and with it. */
export const gapPatience = { plain: 2, repaired: 12 } as const;

/** Peers a loop knows at most, and addresses of theirs. */
export const mostPeers = 4_096;
export const mostAddresses = 8_192;
