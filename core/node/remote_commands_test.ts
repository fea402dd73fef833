import assert from "node:assert/strict";
import { type CommandMessage, parseCommandAnswer } from "../commands/mod.ts";
import { incoming, readAll, testCertificate } from "../plugin/testing.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { RemoteCommands, type RemoteCommandsOptions } from "./remote_commands.ts";

const self = "1".repeat(32);
const scribe = testCertificate.id;
const now = 1_800_000_000_000;

function open(changes: Partial<RemoteCommandsOptions> = {}) {
  const acted: string[] = [];
  const commands = new RemoteCommands({
    self,
    network: "corp",
    scribe: () => Promise.resolve(scribe),
    restart: () => acted.push("restart"),
    configure: (settings) => {
      acted.push(JSON.stringify(settings));
      return "so it is";
    },
    now: () => now,
    log: () => {},
    ...changes,
  });
  /** Sends one line and gives the answer. */
  const send = async (line: string) => {
    const [near, far] = memoryStreamPair();
    const served = commands.serve(far, incoming("core.command"));
    await near.write(new TextEncoder().encode(`${line}\n`));
    const answer = new TextDecoder().decode(await readAll(near));
    assert.deepEqual(acted.filter((one) => one === "restart"), [], "the answer comes first");
    await near.closeWrite();
    await served;
    return parseCommandAnswer(answer);
  };
  return { acted, send };
}

function line(changes: Partial<CommandMessage> = {}): string {
  const command: CommandMessage = {
    network: "corp",
    target: self,
    nonce: "ab".repeat(16),
    issuedAt: now,
    command: { kind: "restart" },
    ...changes,
  };
  return JSON.stringify(command);
}

Deno.test("the scribe's command is answered, then obeyed", async () => {
  const { acted, send } = open();
  assert.deepEqual(await send(line()), { ok: true, detail: "restarting" });
  assert.deepEqual(acted, ["restart"]);
});

Deno.test("settings are handed over and the answer tells what is so", async () => {
  const { acted, send } = open();
  const command = { kind: "configure", settings: { "log-level": "debug" } } as const;
  assert.deepEqual(await send(line({ command })), { ok: true, detail: "so it is" });
  assert.deepEqual(acted, ['{"log-level":"debug"}']);
});

Deno.test("the same bytes a second time do nothing", async () => {
  const { acted, send } = open();
  const command = { kind: "configure", settings: {} } as const;
  await send(line({ command }));
  const again = await send(line({ command }));
  assert.equal(again.ok ? "" : again.code, "REMOTE_COMMAND_REPLAYED");
  assert.equal(acted.length, 1);
});

Deno.test("what is for another node or network, or not from the scribe, does nothing", async () => {
  const cases = [
    [line({ target: "2".repeat(32) }), {}],
    [line({ network: "home" }), {}],
    [line(), { scribe: () => Promise.resolve("2".repeat(32)) }],
    [line(), { scribe: () => Promise.resolve(null) }],
  ] as const;
  for (const [text, changes] of cases) {
    const { acted, send } = open(changes);
    const answer = await send(text);
    assert.equal(answer.ok ? "" : answer.code, "REMOTE_COMMAND_DENIED");
    assert.deepEqual(acted, []);
  }
});

Deno.test("what is no command is refused, whatever it is", async () => {
  const { acted, send } = open();
  for (const text of ["", "{}", "null", line().replace("restart", "halt"), line() + "x"]) {
    const answer = await send(text);
    assert.equal(answer.ok ? "" : answer.code, "REMOTE_COMMAND_INVALID");
  }
  assert.deepEqual(acted, []);
});
