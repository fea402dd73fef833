/**
 * A connection through a SOCKS5 proxy on 127.0.0.1 that resolves the name itself (RFC 1928, address type 3, no
 * authentication). The caller closes it.
 */
export async function socksConnect(
  proxyPort: number,
  hostname: string,
  port: number,
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  try {
    await sendAll(conn, Uint8Array.of(5, 1, 0));
    await expectBytes(conn, [5, 0], "the proxy wants a password");
    const name = new TextEncoder().encode(hostname);
    await sendAll(conn, Uint8Array.of(5, 1, 0, 3, name.length, ...name, port >> 8, port & 255));
    // The reply ends with an IPv4 address and a port: a bound name would be unusual, and is not understood here.
    await expectBytes(conn, [5, 0, 0, 1], "the proxy could not connect");
    await readExactly(conn, 6);
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** Writes all of it. */
export async function sendAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let got = 0; got < length;) {
    const count = await conn.read(bytes.subarray(got));
    if (count === null) throw new Error("the proxy closed the connection");
    got += count;
  }
  return bytes;
}

async function expectBytes(conn: Deno.Conn, expected: number[], otherwise: string): Promise<void> {
  const got = await readExactly(conn, expected.length);
  if (expected.some((byte, index) => got[index] !== byte)) {
    throw new Error(`${otherwise} (answer ${got.toHex()})`);
  }
}
