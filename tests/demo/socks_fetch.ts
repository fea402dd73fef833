import { createHash } from "node:crypto";
import { sendAll, socksConnect } from "./socks_connect.ts";

/** What a download came to. */
export interface Fetched {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly seconds: number;
}

/** Called with the bytes that have arrived so far. */
export type FetchProgress = (bytes: number) => void;

const maxHeadLength = 16 * 1024;

/**
 * Fetches an `http:` URL through a SOCKS5 proxy. For machines without curl, so it does what the demo needs and no more: GET,
 * one response with a content-length.
 */
export async function socksFetch(
  proxyPort: number,
  url: URL,
  onProgress: FetchProgress,
  signal: AbortSignal,
): Promise<Fetched> {
  const start = performance.now();
  const result = await withConnection(proxyPort, url, signal, async (conn) => {
    await sendAll(conn, request("GET", url, "close"));
    return await readFile(conn, onProgress);
  });
  return { ...result, seconds: (performance.now() - start) / 1000 };
}

/** Milliseconds until an HTTP server has answered a HEAD on an open connection through the proxy: the median of `count`. */
export async function socksRoundTrip(
  proxyPort: number,
  url: URL,
  count: number,
  signal: AbortSignal,
): Promise<number> {
  return await withConnection(proxyPort, url, signal, async (conn) => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await sendAll(conn, request("HEAD", url, "keep-alive"));
      await readHead(conn);
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[Math.floor(count / 2)] ?? NaN;
  });
}

async function withConnection<T>(
  proxyPort: number,
  url: URL,
  signal: AbortSignal,
  use: (conn: Deno.Conn) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const conn = await socksConnect(proxyPort, url.hostname, Number(url.port || 80));
  let closed = false;
  const close = () => {
    if (!closed) conn.close();
    closed = true;
  };
  signal.addEventListener("abort", close, { once: true });
  try {
    return await use(conn);
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

function request(method: "GET" | "HEAD", url: URL, connection: string): Uint8Array {
  return new TextEncoder().encode(
    `${method} ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: ${connection}\r\n\r\n`,
  );
}

/** Reads the head of a response, and what came with it of the body. */
async function readHead(conn: Deno.Conn): Promise<{ length: number; early: Uint8Array }> {
  const bytes = new Uint8Array(maxHeadLength);
  let filled = 0;
  let end = -1;
  while (end < 0) {
    const count = await conn.read(bytes.subarray(filled));
    if (!count) throw new Error("the response has no head, or one that is too long");
    filled += count;
    end = new TextDecoder("latin1").decode(bytes.subarray(0, filled)).indexOf("\r\n\r\n");
  }
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, end));
  if (!/^HTTP\/1\.1 200 /.test(text)) throw new Error(`HTTP answer: ${text.split("\r\n")[0]}`);
  const length = Number(/^content-length: *(\d+)$/im.exec(text)?.[1] ?? NaN);
  return { length, early: bytes.subarray(end + 4, filled) };
}

async function readFile(conn: Deno.Conn, onProgress: FetchProgress) {
  const { length, early } = await readHead(conn);
  const hash = createHash("sha256").update(early);
  let bytes = early.length;
  const buffer = new Uint8Array(256 * 1024);
  while (!(bytes >= length)) {
    const count = await conn.read(buffer);
    if (count === null) break;
    hash.update(buffer.subarray(0, count));
    onProgress(bytes += count);
  }
  return { bytes, sha256: hash.digest("hex") };
}
