import assert from "node:assert/strict";
import { labTest, run } from "../tests/lab/mod.ts";
import { missingForPackets, nativeFacts } from "./capabilities.ts";
import { Errno } from "./libc/errno.ts";
import { FfiError } from "./libc/errors.ts";

const all = { netAdmin: true, device: 0 };
const stillWorks = /connect, forward, SOCKS and DNS work/;

Deno.test("where nothing is missing there is nothing to say", () => {
  assert.deepEqual(missingForPackets(all), []);
});

Deno.test("each thing that is missing has its own line, and the last one tells what works", () => {
  const libcrypto = new FfiError("FFI_LIBRARY", "libcrypto is not installed: install OpenSSL 3");
  const lines = missingForPackets({ netAdmin: false, device: Errno.ENOENT, libcrypto });
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /CAP_NET_ADMIN/);
  assert.match(lines[1]!, /ENOENT.*modprobe tun/);
  assert.match(lines[2]!, stillWorks);
  assert.match(missingForPackets({ ...all, device: Errno.EACCES })[0]!, /may not be opened/);
});

Deno.test("without libcrypto packets are carried, and what would make that fast is told", () => {
  const libcrypto = new FfiError("FFI_LIBRARY", "libcrypto is not installed: install OpenSSL 3");
  assert.deepEqual(missingForPackets({ ...all, libcrypto }), [
    "libcrypto is not installed: install OpenSSL 3; until then packets are carried, but slowly",
  ]);
});

Deno.test("without native calls the one reason is told, not what could not be looked at", () => {
  const libc = new FfiError("FFI_PERMISSION", "libc cannot be loaded; start deno with --allow-ffi");
  const lines = missingForPackets({ libc, netAdmin: false, device: 0 });
  assert.equal(lines[0], libc.message);
  assert.equal(lines.length, 2);
});

/** What a program with these rights finds missing. */
async function missingIn(command: readonly string[]): Promise<string[]> {
  const program = `import { missingForPackets, nativeFacts } from "${new URL(
    "./capabilities.ts",
    import.meta.url,
  )}"; console.log(JSON.stringify(missingForPackets(nativeFacts())));`;
  const entry = `data:text/javascript,${encodeURIComponent(program)}`;
  const { stdout, stderr } = await run([...command, entry]);
  assert.ok(stdout.startsWith("["), stderr);
  return JSON.parse(stdout);
}

const deno = Deno.execPath();

Deno.test("a program without the ffi permission is told so", async () => {
  const [line, works] = await missingIn([deno, "run", "--no-prompt", "--allow-read"]);
  assert.match(line!, /--allow-ffi/);
  assert.match(works!, stillWorks);
});

labTest("a program without CAP_NET_ADMIN is told so, and root misses nothing", {
  root: true,
  tun: true,
  commands: ["setpriv"],
}, async () => {
  const without = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
  const lines = await missingIn([...without, deno, "run", "-A"]);
  assert.match(lines[0]!, /CAP_NET_ADMIN/);
  assert.equal(lines.length, 2);
  assert.deepEqual(missingForPackets(nativeFacts()), []);
});
