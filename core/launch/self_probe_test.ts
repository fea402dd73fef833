import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { computeDenoFlags } from "./flags.ts";
import type { PermissionProbe } from "../control/types.ts";

const projectDir = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

Deno.test("a process with a relay's flags can write its data directory and is refused everything else", async () => {
  const root = await Deno.makeTempDir();
  try {
    const dataDir = `${root}/data`;
    await Deno.mkdir(dataDir);
    const flags = computeDenoFlags({
      dataDir,
      projectDir,
      listen: ["127.0.0.1:0"],
      peers: [],
      relayOnly: true,
      plugins: [],
    });
    const probe = new URL("./self_probe.ts", import.meta.url).href;
    const script = `const { probePermissions } = await import(${JSON.stringify(probe)});` +
      `console.log(JSON.stringify(await probePermissions({ dataDir: ${
        JSON.stringify(dataDir)
      } })))`;
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", ...flags, `data:text/javascript,${encodeURIComponent(script)}`],
      cwd: projectDir,
    }).output();
    const text = new TextDecoder().decode(output.stdout);
    assert.ok(output.success, new TextDecoder().decode(output.stderr));
    const probes = JSON.parse(text) as PermissionProbe[];
    const allowed = probes.filter((one) => one.allowed).map((one) => one.what);
    assert.deepEqual(allowed, ["write in the data directory"]);
    assert.ok(probes.length >= 9);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
