import assert from "node:assert/strict";
import { StreamError } from "../streams/mod.ts";
import { dialTcpTarget } from "./tcp_target.ts";

const open = { any: true, allowsLocalPort: () => true };
const never = new AbortController().signal;

function refusedWith(status: string) {
  return (error: unknown) => error instanceof StreamError && error.status === status;
}

Deno.test("a listening target is dialled, a closed one is refused, each as such", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (listener.addr as Deno.NetAddr).port;
  const accepting = listener.accept();
  using _far = await dialTcpTarget(`localhost:${port}`, open, never);
  (await accepting).close();
  listener.close();
  await assert.rejects(
    dialTcpTarget(`127.0.0.1:${port}`, open, never),
    refusedWith("STREAM_REFUSED"),
  );
  await assert.rejects(dialTcpTarget(`localhost:${port}`, open, never), {
    message: `localhost:${port} refused the connection`,
  });
});

Deno.test("a port that is not allowed, a relay-only node, metadata and nonsense are refused before any dial", async () => {
  const closed = { any: true, allowsLocalPort: () => false };
  await assert.rejects(dialTcpTarget("127.0.0.1:9", closed, never), refusedWith("STREAM_DENIED"));
  await assert.rejects(dialTcpTarget("[::1]:9", closed, never), refusedWith("STREAM_DENIED"));
  const socks = { ...open, isOwnProxy: (_: string, port: number) => port === 1080 };
  await assert.rejects(dialTcpTarget("localhost:1080", socks, never), /speaks for this node alone/);
  const relay = { any: false, allowsLocalPort: () => true };
  await assert.rejects(dialTcpTarget("10.0.0.1:9", relay, never), refusedWith("STREAM_DENIED"));
  await assert.rejects(
    dialTcpTarget("169.254.169.254:80", open, never),
    refusedWith("STREAM_DENIED"),
  );
  for (const text of ["", "x", "x:", ":80", "host:0"]) {
    await assert.rejects(dialTcpTarget(text, open, never), refusedWith("STREAM_TARGET_INVALID"));
  }
});
