import assert from "node:assert/strict";
import { PulseError } from "../errors/mod.ts";
import { computeDenoFlags, type FlagOptions } from "./flags.ts";

const relay: FlagOptions = {
  dataDir: "/var/lib/pulse",
  projectDir: "/opt/pulse",
  listen: ["0.0.0.0:8443"],
  peers: ["relay.example.com:443", "[fd00::1]:8443"],
  relayOnly: true,
  plugins: [],
};

Deno.test("a relay-only node gets its listeners, its peers, its directory and nothing else", () => {
  assert.deepEqual(computeDenoFlags(relay), [
    "--no-prompt",
    "--unstable-net",
    "--unstable-worker-options",
    "--v8-flags=--max-semi-space-size=1",
    "--allow-read=/var/lib/pulse",
    "--allow-write=/var/lib/pulse",
    "--allow-net=0.0.0.0:8443,relay.example.com:443,[fd00::1]:8443,unix:/var/lib/pulse/pulse.sock,unix:/var/lib/pulse/tunnel.sock",
    "--allow-env=WS_NO_BUFFER_UTIL,WS_NO_UTF_8_VALIDATE",
    "--deny-sys",
    "--deny-ffi",
    "--deny-run",
    "--deny-import",
  ]);
});

Deno.test("a plugin that needs FFI does not bring it to a relay-only node", () => {
  const plugin = { module: "./x.ts", permissions: { ffi: true, run: ["ip"] } };
  const flags = computeDenoFlags({ ...relay, plugins: [plugin] });
  assert.ok(flags.includes("--deny-ffi") && flags.includes("--deny-run"));
  const full = computeDenoFlags({ ...relay, relayOnly: false, plugins: [plugin] });
  assert.ok(full.includes("--allow-ffi") && full.includes("--allow-run=ip"));
});

Deno.test("a free port is granted by its host, and every permission is named once", () => {
  const flags = computeDenoFlags({ ...relay, listen: ["127.0.0.1:0"] });
  assert.ok(flags.some((flag) => flag.startsWith("--allow-net=127.0.0.1,")));
  for (const name of ["read", "write", "net", "env", "sys", "ffi", "run", "import"]) {
    const named = flags.filter((flag) => new RegExp(`^--(allow|deny)-${name}(=|$)`).test(flag));
    assert.equal(named.length, 1, name);
  }
});

Deno.test("a path that Deno would read as two is refused", () => {
  assert.throws(() => computeDenoFlags({ ...relay, dataDir: "/a,/" }), PulseError);
  assert.throws(() => computeDenoFlags({ ...relay, dataDir: "data" }), PulseError);
});
