import assert from "node:assert/strict";
import { restartExitCode } from "../../core/node/restart_exit_code.ts";
import { supervisedCommand } from "./supervised_command.ts";

/** Runs a shell script under supervision; it gets its configuration on stdin. */
async function supervised(script: string, config: string): Promise<{ code: number; out: string }> {
  const { program, args } = supervisedCommand({ program: "/bin/sh", args: ["-c", script] });
  const child = new Deno.Command(program, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(`${config}\n`));
  await stdin.close();
  const { code, stdout } = await child.output();
  return { code, out: new TextDecoder().decode(stdout) };
}

Deno.test("a daemon that asks for it is started again, with the same configuration, and its last code is the end", async () => {
  const file = await Deno.makeTempFile({ prefix: "pulse-supervised-" });
  // Nothing that a shell could take for its own.
  const config = String.raw`{"token":"a $HOME \n %s 'x' \"y\" * \\"}  `;
  try {
    const script = `cat; echo "$$" >>${file}; ` +
      `[ "$(wc -l <${file})" -ge 3 ] && exit 7; exit ${restartExitCode}`;
    const { code, out } = await supervised(script, config);
    assert.equal(code, 7);
    assert.equal(out, `${config}\n`.repeat(3));
    assert.equal(new Set((await Deno.readTextFile(file)).trim().split("\n")).size, 3);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a daemon that ends in any other way stays ended", async () => {
  for (const code of [0, 1, 76]) {
    const result = await supervised(`cat; exit ${code}`, "x");
    assert.deepEqual(result, { code, out: "x\n" });
  }
  assert.equal((await supervised("kill -9 $$", "x")).code, 137);
});

Deno.test("a long configuration arrives whole", async () => {
  const config = "x".repeat(300_000);
  assert.equal((await supervised("cat", config)).out.length, config.length + 1);
});
