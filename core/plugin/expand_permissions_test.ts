import assert from "node:assert/strict";
import { expandPermissions } from "./expand_permissions.ts";
import { PluginError } from "./errors.ts";
import type { Json, PluginPermissions } from "./types.ts";

const expand = (permissions: PluginPermissions, config: Json = null) =>
  expandPermissions(permissions, {
    name: "p",
    dataDir: "/var/pulse/p",
    config,
    programDir: "/opt/pulse",
  });

Deno.test("everything left out is denied by name", () => {
  const nothing = {
    net: false,
    read: false,
    write: false,
    env: false,
    sys: false,
    run: false,
    ffi: false,
    import: false,
  };
  assert.deepEqual(expand({}), nothing);
  assert.deepEqual(
    expand({ net: [], read: [], write: [], env: [], sys: [], run: [], ffi: [] }),
    nothing,
  );
});

Deno.test("$DATA stands for the plugin's own directory", () => {
  const { read, write } = expand({ read: ["$DATA", "/usr/share/x"], write: ["$DATA/zones"] });
  assert.deepEqual(read, ["/var/pulse/p", "/usr/share/x"]);
  assert.deepEqual(write, ["/var/pulse/p/zones"]);
});

Deno.test("$PROGRAM stands for the program's sources, to be read and not written", () => {
  assert.deepEqual(expand({ read: ["$PROGRAM"] }).read, ["/opt/pulse"]);
  assert.throws(() => expand({ write: ["$PROGRAM"] }), PluginError);
});

Deno.test("a path with another variable is refused", () => {
  for (const path of ["$DATAX", "/x/$HOME", "relative"]) {
    assert.throws(() => expand({ read: [path] }), PluginError);
  }
});

Deno.test("$CONFIG takes one address, several, everything or nothing", () => {
  const net = ["10.0.0.1", "$CONFIG.listen", "$CONFIG.upstream"];
  assert.deepEqual(expand({ net }, { listen: ":1080", upstream: ["9.9.9.9:53", "[::1]:53"] }).net, [
    "10.0.0.1",
    "0.0.0.0:1080",
    "9.9.9.9:53",
    "[::1]:53",
  ]);
  assert.equal(expand({ net }, { listen: true }).net, true);
  assert.deepEqual(expand({ net }, { listen: false, upstream: null }).net, ["10.0.0.1"]);
  assert.deepEqual(expand({ net }, null).net, ["10.0.0.1"]);
  assert.equal(expand({ net: ["$CONFIG.listen"] }).net, false);
});

Deno.test("$CONFIG falls back to the value written behind it", () => {
  const net = ["$CONFIG.listen=127.0.0.1:1080"];
  assert.deepEqual(expand({ net }, {}).net, ["127.0.0.1:1080"]);
  assert.deepEqual(expand({ net }, { listen: "127.0.0.1:9" }).net, ["127.0.0.1:9"]);
});

Deno.test("$CONFIG does not reach inherited properties and refuses what is no address", () => {
  assert.equal(expand({ net: ["$CONFIG.constructor"] }, {}).net, false);
  assert.throws(() => expand({ net: ["$CONFIG.x"] }, { x: 5 }), /"x" grants network access/);
  assert.throws(() => expand({ net: ["$CONFIG"] }), /neither an address nor/);
});
