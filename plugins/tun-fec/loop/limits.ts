/** Bytes of the ring that datagrams are received into; what waits in it to become whole is given up before it is overwritten. */
export const receiveRing = 4 << 20;
/** Most bytes of a message, and of a packet of the interface with its virtio header. */
export const largestMessage = 1 << 16;
/** Messages and packets taken in one turn before the other side has its own. */
export const turn = 64;
/** Bytes of them, after which the other side has its turn all the same: half a millisecond's work. */
export const turnBytes = 512 << 10;

/** Queues of an interface at most, and bytes that one has its turn with before the next has its own: a packet of the largest size. */
export const mostQueues = 16;
export const queueBytes = largestMessage;

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

/** Packets of one way that wait for missing segments, or behind one that does; the oldest is given up for a newer one. */
export const openPackets = 64;
/** Those of all. */
export const openPacketsOfAll = 256;
/** Without parity nothing repairs a gap: what so many segments sent after it have overtaken is lost (RFC 5681, 3.2). */
export const overtakenSegments = 3;
/** Milliseconds a packet waits for the next of its missing segments: they lie as far apart on slow paths. */
export const gapPatience = 25;
/** The same where parity may bring them back: it comes when a round is over, and rounds take 80. */
export const repairPatience = 100;

/** Bytes of a datagram that every path takes: 1280 of IP (RFC 8200, 5) without the headers of IP and UDP. */
export const smallestPath = { ipv4: 1_252, ipv6: 1_232 } as const;
/** Bytes of a segment that travels over a session: its datagrams take that, with an id before it. */
export const sessionSegment = 1_080;

/** Segments sealed after which it is said. */
export const sealedBeforeSaid = 1 << 18;

/** Milliseconds a round of segments waits for more before its parity is sent; longer, if they come less often. */
export const parityPatience = 5;
/** Milliseconds after which it gets none: what was in it has been used long since. */
export const parityForgotten = 500;
/** Segments behind those a parity covers, within which it comes: trains overtake each other on no path, but parity follows them. */
export const parityReach = 2 * trainSegments;
/** Milliseconds without parity after which none is counted on. */
export const parityPause = 200;

/** Senders at the interface that are told in a second that a packet is too big. */
export const tooBigPerSecond = 100;

/** Peers a loop knows at most, and addresses of theirs. */
export const mostPeers = 4_096;
export const mostAddresses = 8_192;
