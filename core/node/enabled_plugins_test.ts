import assert from "node:assert/strict";
import { resolveConfig } from "../config/resolve_config.ts";
import type { Settings } from "../config/settings.ts";
import { enabledPlugins } from "./enabled_plugins.ts";

const enabled = (flags: Settings) =>
  enabledPlugins(resolveConfig({ flags, home: "/home/u", cwd: "/", foreground: false }));

Deno.test("a plugin is there when its setting is on, and is told what it needs to know", () => {
  assert.deepEqual(enabled({}).configs, {});
  const { manifests, configs } = enabled({ ca: true, socks: true, dns: true });
  assert.deepEqual(Object.keys(manifests).sort(), ["ca", "dns", "socks"]);
  assert.deepEqual(configs.socks, {
    listen: "127.0.0.1:1080",
    udp: ["127.0.0.1"],
    direct: false,
    users: {},
  });
  assert.deepEqual(Object.keys(enabled({ scribe: true }).manifests).sort(), ["metrics", "scribe"]);
  assert.deepEqual(Object.keys(enabled({ apiListen: ":0" }).manifests), ["metrics"]);
  assert.deepEqual(configs.ca, { meshCidr: "10.100.0.0/16" });
  const named = enabled({ ca: true, network: "corp" }).configs;
  assert.deepEqual(named.ca, { network: "corp", meshCidr: "10.100.0.0/16" });
});

Deno.test("only what carries packets and what leads them out of the mesh has FFI", () => {
  const { manifests, configs } = enabled({ tun: true, fec: true, ca: true, dns: true });
  assert.deepEqual(configs["tun-fec"], { name: "pulse0", fec: true, queues: 8 });
  const withFfi = Object.keys(manifests).filter((name) => manifests[name]!.permissions.ffi);
  assert.deepEqual(withFfi.sort(), ["exit", "tun-fec"]);
});

Deno.test("DNS may answer this machine and whom it is told to, and ask only where there is an upstream", () => {
  assert.deepEqual(enabled({ dns: true }).configs.dns, {
    listen: "127.0.0.1:5353",
    upstream: [],
    clients: ["127.0.0.0/8", "[::1]"],
  });
  const { dns } = enabled({ dns: true, dnsUpstream: ["192.0.2.1"], dnsAllow: ["10.0.0.0/8"] })
    .configs;
  assert.deepEqual(dns, {
    listen: "127.0.0.1:5353",
    upstream: ["192.0.2.1:53"],
    clients: ["127.0.0.0/8", "[::1]", "10.0.0.0/8"],
    upstreamSource: ["0.0.0.0:0", "[::]:0"],
  });
});
