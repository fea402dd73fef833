/**
 * An HTTP server in a process of its own: `/N` gives N bytes. Answers `{"do":"port"}`.
 * @module
 */
import { answerCommands } from "../json_child.ts";

const chunk = new Uint8Array(256 * 1024);

/** A body of `size` zero bytes that costs its sender next to nothing. */
export function zeros(size: number): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      const piece = chunk.subarray(0, Math.min(left, chunk.length));
      if (piece.length > 0) controller.enqueue(piece);
      left -= piece.length;
      if (left === 0) controller.close();
    },
  });
}

if (import.meta.main) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const size = Number(new URL(request.url).pathname.slice(1));
    return new Response(zeros(size), { headers: { "content-length": `${size}` } });
  });
  await answerCommands(() => Promise.resolve({ port: server.addr.port }));
  Deno.exit(0);
}
