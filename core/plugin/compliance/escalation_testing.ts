/** A process without the permission a plugin of its asks for; prints what became of the plugin. @module */
import { PluginHost } from "../host.ts";
import { TestServices } from "../testing.ts";

await using host = await PluginHost.start({
  manifests: {
    p: { module: "./other_testing.ts", permissions: { run: ["true"] }, provides: ["other"] },
  },
  configs: {},
  dataDir: "/nonexistent",
  baseUrl: import.meta.url,
  services: new TestServices(),
  log: () => {},
  restart: { maxRestarts: 0 },
});
console.log(JSON.stringify(host.status()));
