import assert from "node:assert/strict";
import { DialError } from "../errors.ts";
import { resolveHost } from "./resolve_host.ts";

Deno.test("an address is its own answer, if the socket can reach it", async () => {
  assert.deepEqual(await resolveHost("10.0.0.1", "0.0.0.0"), ["10.0.0.1"]);
  assert.deepEqual(await resolveHost("::1", "::"), ["::1"]);
  await assert.rejects(resolveHost("::1", "0.0.0.0"), DialError);
});

Deno.test("a process that may dial a name but look nothing up dials the name", async () => {
  const module = new URL("./resolve_host.ts", import.meta.url).href;
  const script = `const { resolveHost } = await import(${JSON.stringify(module)});` +
    `console.log(JSON.stringify(await resolveHost("localhost", "0.0.0.0")))`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--allow-net=localhost:8443"],
      `data:text/javascript,${encodeURIComponent(script)}`,
    ],
    cwd: new URL("../../../", import.meta.url),
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  assert.equal(text, '["localhost"]', new TextDecoder().decode(stderr));
});
