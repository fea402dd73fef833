/** A plugin that tries everything its manifest does not allow, and says how that went. @module */
import type { Json, PluginContext, PluginHooks } from "../types.ts";

const attempts: { readonly [what: string]: (context: PluginContext) => unknown } = {
  "read outside": () => Deno.readTextFileSync("/etc/passwd"),
  "read through node:fs": async () => (await import("node:fs")).readFileSync("/etc/passwd"),
  "read its own source": () => Deno.readTextFileSync(new URL(import.meta.url)),
  "read the neighbour's data": ({ dataDir }) => Deno.readDirSync(`${dataDir}/../other`).next(),
  "read by climbing": ({ dataDir }) => Deno.readTextFileSync(`${dataDir}/../../../etc/passwd`),
  "write outside": () => Deno.writeTextFileSync("/tmp/pulse-hostile-plugin", "x"),
  "make a symlink out": ({ dataDir }) => Deno.symlinkSync("/etc", `${dataDir}/etc`),
  "make a hard link in": ({ dataDir }) => Deno.linkSync("/etc/passwd", `${dataDir}/passwd`),
  run: () => new Deno.Command("/bin/true").outputSync(),
  "run through node": async () => (await import("node:child_process")).execSync("true"),
  ffi: () => Deno.dlopen("libc.so.6", {}),
  connect: () => Deno.connect({ hostname: "127.0.0.1", port: 9 }),
  "connect through node": async () => {
    const { connect } = await import("node:net");
    const socket = connect(9, "127.0.0.1");
    await new Promise((resolve, reject) => socket.on("connect", resolve).on("error", reject));
  },
  "listen elsewhere": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  "listen on UDP": () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 }),
  "unix socket": ({ dataDir }) => Deno.listen({ transport: "unix", path: `${dataDir}/../s` }),
  fetch: () => fetch("http://127.0.0.1:8/"),
  "fetch a file": () => fetch("file:///etc/passwd"),
  dns: () => Deno.resolveDns("localhost", "A"),
  env: () => Deno.env.get("HOME"),
  "all of env": () => Deno.env.toObject(),
  sys: () => Deno.hostname(),
  "network interfaces": () => Deno.networkInterfaces(),
  kill: () => Deno.kill(1, "SIGURG"),
  "import by path": ({ dataDir }) => import(`file://${dataDir}/../../../etc/passwd`),
  "import over the network": () => import("https" + "://127.0.0.1:8/x.ts"),
  "a nested worker with more": () => {
    const worker = new Worker("data:text/javascript,", {
      type: "module",
      deno: { permissions: { read: true } },
    });
    worker.terminate();
  },
  "ask for more": async () => {
    const { state } = await Deno.permissions.request({ name: "read" });
    if (state === "denied") throw new Deno.errors.NotCapable("request denied");
  },
};

export default (context: PluginContext): PluginHooks => ({
  services: {
    hostile: {
      tryAll: async () => {
        const results: Record<string, Json> = {};
        for (const [what, attempt] of Object.entries(attempts)) {
          try {
            await attempt(context);
            results[what] = "ALLOWED";
          } catch (error) {
            const { name, message } = error as Error;
            results[what] = `${name}: ${message}`;
          }
        }
        return results;
      },
      own: async () => {
        await Deno.writeTextFile(`${context.dataDir}/own`, "mine");
        return await Deno.readTextFile(`${context.dataDir}/own`);
      },
    },
  },
});
