import assert from "node:assert/strict";
import { PluginError } from "./errors.ts";
import { parseManifests } from "./manifest.ts";

const minimal = { module: "./m.ts", permissions: {} };

function faultOf(table: unknown): string {
  try {
    parseManifests(table);
  } catch (error) {
    assert.ok(error instanceof PluginError);
    assert.equal(error.code, "PLUGIN_MANIFEST");
    return error.message;
  }
  throw new Error("nothing was refused");
}

Deno.test("a complete table is read as it stands", () => {
  const table = {
    dns: {
      module: "./plugins/dns/mod.ts",
      permissions: { net: ["127.0.0.1:53"], read: ["$DATA"], write: ["$DATA/zones"], ffi: false },
      needs: ["names"],
      provides: ["dns.zones"],
      isolate: "inline",
    },
    "tun-fec": minimal,
  };
  assert.deepEqual(parseManifests(table), table);
});

Deno.test("an unknown key is refused with its path", () => {
  assert.match(faultOf({ dns: { ...minimal, extra: 1 } }), /pulse\.plugins\.dns: .*extra/);
  assert.match(
    faultOf({ dns: { module: "./m.ts", permissions: { nett: ["x"] } } }),
    /pulse\.plugins\.dns\.permissions: .*nett/,
  );
});

Deno.test("missing or wrong values are refused with their path", () => {
  assert.match(faultOf({ dns: { permissions: {} } }), /pulse\.plugins\.dns\.module/);
  assert.match(faultOf({ dns: { module: "./m.ts" } }), /pulse\.plugins\.dns\.permissions/);
  assert.match(faultOf({ dns: { ...minimal, isolate: "none" } }), /pulse\.plugins\.dns\.isolate/);
  assert.match(faultOf({ dns: { ...minimal, needs: ["Names"] } }), /pulse\.plugins\.dns\.needs\.0/);
  assert.match(faultOf({ "../x": minimal }), /pulse\.plugins\.\.\.\/x/);
  assert.match(faultOf("text"), /pulse\.plugins/);
});

Deno.test("the program's sources may be read, not written", () => {
  const fault = (permissions: object) => faultOf({ dns: { module: "./m.ts", permissions } });
  assert.throws(() => fault({ read: ["$PROGRAM"] }), /nothing was refused/);
  assert.match(fault({ write: ["$PROGRAM"] }), /permissions\.write\.0/);
  assert.match(fault({ read: ["$PROGRAM/x"] }), /permissions\.read\.0/);
});

Deno.test("paths that are relative or climb are refused", () => {
  for (const path of ["data", "./data", "$DATA/../other", "/var/../etc", "$DATAx", "$HOME/x"]) {
    assert.match(
      faultOf({ dns: { module: "./m.ts", permissions: { read: [path] } } }),
      /permissions\.read\.0/,
      path,
    );
  }
});
