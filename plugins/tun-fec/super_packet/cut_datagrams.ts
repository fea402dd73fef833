import { writeUdpHeaders } from "./udp_headers.ts";

/**
 * Cuts a super-packet of UDP into its datagrams, for a kernel that does not do it (before Linux 6.2).
 * @param at where its pieces lie; all headers are in the first
 * @param size of the headers
 * @param gsoSize payload of each datagram but the last
 * @param headerAt room for headers in the same memory
 * @param out where the pieces of each datagram are listed
 * @param write called for each with the number of its pieces
 */
export function cutDatagrams(
  memory: Uint8Array,
  view: DataView,
  at: Int32Array,
  length: Int32Array,
  pieces: number,
  size: number,
  gsoSize: number,
  headerAt: number,
  out: { readonly at: Int32Array; readonly length: Int32Array },
  write: (pieces: number) => void,
): void {
  let total = -size;
  for (let i = 0; i < pieces; i++) total += length[i]!;
  let piece = 0;
  let offset = size;
  for (let done = 0; done < total; done += gsoSize) {
    const payload = Math.min(gsoSize, total - done);
    memory.copyWithin(headerAt, at[0]!, at[0]! + size);
    writeUdpHeaders(view, headerAt, size, payload, gsoSize);
    out.at[0] = headerAt;
    out.length[0] = size;
    let count = 1;
    for (let left = payload; left > 0;) {
      const bytes = Math.min(left, length[piece]! - offset);
      if (bytes > 0) {
        out.at[count] = at[piece]! + offset;
        out.length[count] = bytes;
        count++;
      }
      left -= bytes;
      offset += bytes;
      if (offset === length[piece]!) {
        piece++;
        offset = 0;
      }
    }
    write(count);
  }
}
