import assert from "node:assert/strict";
import type { RemoteCommand } from "../../core/commands/mod.ts";
import { readLine } from "../../core/control/read_line.ts";
import { RemoteControl } from "./remote_control.ts";
import { FakeMesh, laptop, server } from "./testing.ts";

const restart: RemoteCommand = { kind: "restart" };

function control(mesh: FakeMesh, timeoutMs: number): RemoteControl {
  let nonce = 0;
  return new RemoteControl({
    openStream: mesh.openStream,
    network: () => Promise.resolve("corp"),
    now: () => 1_000,
    nonce: () => String(++nonce).padStart(32, "0"),
    timeoutMs,
  });
}

Deno.test("a node that says nothing, or nonsense, keeps nobody else from being told", async () => {
  const mesh = new FakeMesh();
  const { signal } = new AbortController();
  mesh.answer = async (node, far) => {
    // The laptop stays silent.
    if (node === laptop) return;
    await readLine(far, 1_000);
    const answer = node === server ? '{"ok":true,"detail":"restarting"}' : "hello";
    await far.write(new TextEncoder().encode(`${answer}\n`));
    await far.closeWrite();
  };
  const odd = mesh.nodes[0]!.id;
  const orders = new Map([[laptop, restart], [odd, restart], [server, restart]]);
  const results = await control(mesh, 200).tell(orders, signal);
  assert.deepEqual(results.map(({ node, ok, code }) => [node, ok, code]), [
    [laptop, false, "REMOTE_TIMEOUT"],
    [odd, false, "REMOTE_COMMAND_INVALID"],
    [server, true, ""],
  ]);
});

Deno.test("each command names its node and network, and has a nonce of its own", async () => {
  const mesh = new FakeMesh();
  const { signal } = new AbortController();
  const heard: unknown[] = [];
  mesh.answer = async (_, far) => {
    heard.push(JSON.parse((await readLine(far, 1_000)).line));
    await far.write(new TextEncoder().encode('{"ok":true,"detail":"x"}\n'));
    await far.closeWrite();
  };
  await control(mesh, 60_000).tell(new Map([[laptop, restart], [server, restart]]), signal);
  assert.deepEqual(heard, [
    {
      network: "corp",
      target: laptop,
      nonce: "1".padStart(32, "0"),
      issuedAt: 1_000,
      command: restart,
    },
    {
      network: "corp",
      target: server,
      nonce: "2".padStart(32, "0"),
      issuedAt: 1_000,
      command: restart,
    },
  ]);
});
