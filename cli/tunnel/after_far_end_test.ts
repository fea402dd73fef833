import assert from "node:assert/strict";
import { connToStream } from "../../core/streams/mod.ts";
import { afterFarEnd } from "./after_far_end.ts";

/** Both ends of a unix socket, as between `connect` and the daemon. */
async function withSocket(
  test: (here: ReturnType<typeof connToStream>, daemon: Deno.Conn) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-tunnel-" });
  try {
    using listener = Deno.listen({ transport: "unix", path: `${dir}/s` });
    const accepted = listener.accept();
    await using here = connToStream(await Deno.connect({ transport: "unix", path: `${dir}/s` }));
    await test(here, await accepted);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("after the far end's end it is over when stdin has been silent for a while, not while it speaks", async () => {
  await withSocket(async (here, daemon) => {
    await daemon.closeWrite();
    assert.equal(await here.read(), null);
    const silences = [0, 5, 0, 9_999, 10_000];
    let looks = 0;
    await afterFarEnd(here, { silentMs: () => silences[looks++]!, lookMs: 1 });
    assert.equal(looks, silences.length);
    daemon.close();
  });
});

Deno.test("a tunnel that the daemon has given up is told from one whose far end has ended", async () => {
  await withSocket(async (here, daemon) => {
    await daemon.closeWrite();
    assert.equal(await here.read(), null);
    let looks = 0;
    const over = afterFarEnd(here, {
      lookMs: 1,
      silentMs: () => {
        if (++looks === 3) daemon.close();
        return 0;
      },
    });
    await assert.rejects(over, { code: "SESSION_STREAM_RESET" });
    assert.equal(looks, 3);
  });
});
