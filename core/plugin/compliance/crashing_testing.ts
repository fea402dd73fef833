/** A plugin that breaks in whatever way it is told to. @module */
import { PulseError } from "../../errors/mod.ts";
import type { Json, PluginContext, PluginFactory, PluginHooks } from "../types.ts";

interface Config {
  /** What fails: the factory, `onStart` once or for good, or nothing until told. */
  readonly failIn?: "factory" | "onStart" | "onStart for good";
}

const plugin: PluginFactory = ({ config, host, log, signal }: PluginContext): PluginHooks => {
  const { failIn } = (config ?? {}) as Config;
  if (failIn === "factory") throw new Error("the factory fails");
  const breaks: { readonly [how: string]: () => Json | Promise<Json> } = {
    "throw": () => {
      setTimeout(() => {
        throw new Error("thrown from a timer");
      }, 0);
      return null;
    },
    "reject": () => {
      void Promise.reject(new Error("nobody catches this"));
      return null;
    },
    "loop": () => {
      for (;;);
    },
    "close": () => {
      close();
      return null;
    },
    "exit": () => Deno.exit(3),
    "garbage": () => {
      (globalThis as unknown as { postMessage(data: unknown): void }).postMessage({ type: "hi" });
      return null;
    },
    "flood": () => {
      for (let i = 0; i < 2_000; i++) log("info", `line ${i}`);
      return null;
    },
    "badRequest": () =>
      host.resolveNode({} as unknown as string).then(
        () => "accepted",
        (e: { code: string }) => e.code,
      ),
    "badStream": () =>
      host.openStream({ node: "known", protocol: "x".repeat(65), port: 70_000 })
        .then(() => "accepted", (e: { code: string }) => e.code),
    "unprintable": () => {
      log("info", "cannot be cloned", { f: (() => {}) as unknown as Json });
      return null;
    },
    "fine": () => "fine",
  };
  return {
    onStart: () => {
      if (failIn === "onStart") throw new Error("onStart fails");
      if (failIn === "onStart for good") {
        throw new PulseError("NO_DEVICE", "there is no device", { permanent: true });
      }
      host.emit("start", {});
    },
    onStop: async () => {
      host.emit("stop", {});
      if ((config as { stuck?: boolean } | null)?.stuck) await new Promise(() => {});
    },
    streams: {
      "crash.hold": async (stream) => {
        host.emit("held", {});
        await stream.closed;
        if (signal.aborted) return;
      },
    },
    metrics: () => [{ name: "bad name\n", help: "", type: "gauge", value: 1 }],
    health: () => ({ ok: "yes" } as unknown as { ok: boolean; detail: string }),
    apiRoutes: [{
      method: "GET",
      path: "/bad",
      summary: "",
      handle: () => Promise.resolve({ status: 7, body: null }),
    }],
    services: { crash: { now: async (how) => await breaks[how as string]!() } },
  };
};

export default plugin;
