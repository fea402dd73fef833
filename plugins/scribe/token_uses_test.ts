import assert from "node:assert/strict";
import { PulseError } from "../../core/errors/mod.ts";
import type { HostServices } from "../../core/plugin/types.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import { PathStream } from "../../core/streams/mesh_stream.ts";
import { caCertificate, FakeMesh, scribeId } from "./testing.ts";
import { TokenUses } from "./token_uses.ts";

/** A scribe that asks somebody who says these lines, one for each question, the last one ever after. */
function asking(lines: readonly string[]) {
  const asked: string[] = [];
  const logged: string[] = [];
  const stop = new AbortController();
  const openStream: HostServices["openStream"] = async ({ node, protocol }) => {
    asked.push(`${protocol} of ${node === caCertificate.id ? "the CA" : node}`);
    const [near, far] = memoryStreamPair();
    const line = lines[asked.length - 1] ?? lines.at(-1);
    if (line !== undefined) await far.write(new TextEncoder().encode(line));
    return new PathStream(near, caCertificate, []);
  };
  const { peers } = new FakeMesh();
  const options = {
    self: scribeId,
    log: (_: string, message: string, fields = {}) =>
      void logged.push(`${message} ${JSON.stringify(fields)}`),
    signal: stop.signal,
  };
  const uses = new TokenUses({ ...options, host: { peers, openStream } });
  const alone = new TokenUses({
    ...options,
    host: { peers: () => Promise.resolve([]), openStream },
  });
  return { uses, alone, asked, logged, stop };
}

const line = (...tokens: { id: string; uses: number; status: string }[]) =>
  `${JSON.stringify({ tokens })}\n`;

Deno.test("the CA says how often tokens were used, and a scribe that knows no CA asks itself", async () => {
  const { uses, alone, asked } = asking([line({ id: "a", uses: 2, status: "used" })]);
  assert.deepEqual([...await uses.ask() ?? []], [["a", { uses: 2, status: "used" }]]);
  await alone.ask();
  assert.deepEqual(asked, ["ca.tokens of the CA", `ca.tokens of ${scribeId}`]);
});

Deno.test("without an answer, or with an odd one, nothing is said of uses", async () => {
  const odd = [
    '{"error":"you are not the scribe"}\n',
    "nonsense\n",
    line({ id: "a", uses: -1, status: "used" }),
    line({ id: "a", uses: 1, status: "odd" }),
  ];
  for (const text of odd) {
    const { uses, logged } = asking([text]);
    assert.equal(await uses.ask(), null, text);
    assert.equal(logged.length, 1);
  }
  const { peers } = new FakeMesh();
  const unreachable = new TokenUses({
    self: scribeId,
    host: {
      peers,
      openStream: () => Promise.reject(new PulseError("STREAM_NO_PATH", "There is no path")),
    },
    log: () => {},
    signal: new AbortController().signal,
  });
  assert.equal(await unreachable.ask(), null);
  assert.equal(await unreachable.heard("a"), false);
});

Deno.test("a new token is waited for until the CA knows it", async () => {
  const { uses, asked } = asking([
    line(),
    line({ id: "b", uses: 0, status: "valid" }),
    line({ id: "a", uses: 0, status: "valid" }),
  ]);
  assert.equal(await uses.heard("a"), true);
  assert.equal(asked.length, 3);
});

Deno.test("a CA that says nothing is not waited for when the plugin stops", async () => {
  const { uses, stop } = asking([]);
  const waiting = uses.ask();
  stop.abort();
  assert.equal(await waiting, null);
});
