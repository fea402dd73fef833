/** So many bytes; null when the connection ends before the first. @throws {Error} it ends in the middle, or fails */
export async function readExactly(
  conn: Pick<Deno.TcpConn, "read">,
  count: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = new Uint8Array(count);
  let at = 0;
  while (at < count) {
    const read = await conn.read(bytes.subarray(at));
    if (read === null) {
      if (at === 0) return null;
      throw new Deno.errors.UnexpectedEof("the connection ended inside a message");
    }
    at += read;
  }
  return bytes;
}

/** Every byte. */
export async function writeAll(
  conn: Pick<Deno.TcpConn, "write">,
  bytes: Uint8Array,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await conn.write(bytes.subarray(written));
}
