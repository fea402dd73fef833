import { createHash } from "node:crypto";

/** An HTTP server on 127.0.0.1 with one file of random bytes. */
export interface FileService extends AsyncDisposable {
  readonly port: number;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** How often it was asked for the file, or about it. */
  readonly requests: number;
}

const pieceSize = 64 * 1024;

/** The content as a stream: handed over whole, it would be copied whole first. */
function inPieces(content: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < content.length) controller.enqueue(content.subarray(at, at += pieceSize));
      else controller.close();
    },
  });
}

/** Serves `size` random bytes as `/file`. */
export function serveRandomFile(size: number): FileService {
  const content = new Uint8Array(size);
  for (let at = 0; at < size; at += pieceSize) {
    crypto.getRandomValues(content.subarray(at, at + pieceSize));
  }
  let requests = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    if (new URL(request.url).pathname !== "/file") return new Response(null, { status: 404 });
    requests++;
    return new Response(request.method === "HEAD" ? null : inPieces(content), {
      headers: { "content-type": "application/octet-stream", "content-length": `${size}` },
    });
  });
  return {
    port: server.addr.port,
    size,
    sha256: createHash("sha256").update(content).digest("hex"),
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
