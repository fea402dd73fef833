/** The plugin of the compliance suite: one of everything. Runs in a Worker or inline and must not care. @module */
import { PulseError } from "../../errors/mod.ts";
import type { ByteStream } from "../../sessions/types.ts";
import type { Json, PluginContext, PluginFactory, PluginHooks } from "../types.ts";

const plugin: PluginFactory = (context: PluginContext): PluginHooks => {
  const { host, config, log } = context;
  const emit = (type: string, value: Json = null) => host.emit(type, { value });
  return {
    onStart: () => {
      emit("start", config);
      log("info", "hello", { dataDir: context.dataDir, name: context.name });
    },
    onLinkUp: (peer) => emit("linkUp", { ...peer }),
    onLinkDown: (peer) => emit("linkDown", { ...peer }),
    onConfig: (fresh) => emit("config", fresh),
    onNetworkConfig: (news) => emit("networkConfig", { ...news }),
    onStop: () => emit("stop", context.signal.aborted),
    streams: {
      "test.echo": echo,
      "test.throw": () => Promise.reject(new Error("handler failed")),
      "test.reset": async (stream) => {
        await stream.read();
        stream.reset(42);
      },
      "test.hold": async (stream, from) => {
        emit("held", [from.origin.id, from.protocol, from.port, [...from.path]]);
        await stream.closed;
      },
      "test.feel": async (stream) => {
        try {
          while (await stream.read() !== null);
          emit("felt", "end");
        } catch (error) {
          emit("felt", error instanceof PulseError ? { code: error.code, ...reset(error) } : "?");
        }
      },
    },
    join: async (conversation) => {
      await conversation.send(new TextEncoder().encode(conversation.remoteAddress));
      for (;;) {
        const message = await conversation.receive();
        if (message === null) break;
        await conversation.send(message.toReversed());
      }
      emit("joined");
    },
    resolveName: (name) => {
      if (name === "boom") throw new Error("boom");
      return Promise.resolve(name === "printer" ? "0123456789abcdef0123456789abcdef" : undefined);
    },
    apiRoutes: [
      {
        method: "GET",
        path: "/echo/:id",
        summary: "Says it again",
        access: "read",
        handle: ({ ifMatch = "0", ...rest }) =>
          Promise.resolve({ status: 200, body: { ifMatch, ...rest }, etag: ifMatch }),
      },
      {
        method: "POST",
        path: "/refuse",
        summary: "Refuses",
        handle: () => Promise.reject(new PulseError("TEST_REFUSED", "not today", { day: 3 })),
      },
    ],
    services: {
      test: {
        echo: (argument) => Promise.resolve(argument),
        nothing: () => Promise.resolve(undefined as unknown as Json),
        refuse: () =>
          Promise.reject(
            new PulseError(
              "TEST_REFUSED",
              "not today",
              { day: 3, who: ["a", "b"] },
              new Error("deep"),
            ),
          ),
        fail: () => Promise.reject(new TypeError("plain failure")),
        throwNow: () => {
          throw new RangeError("thrown before any promise");
        },
        notData: () => Promise.resolve(new Map() as unknown as Json),
        never: () => new Promise(() => {}),
        facts: async () => ({
          self: (await host.self()).network,
          peers: (await host.peers()).map((peer) => peer.id),
          known: await host.resolveNode("known"),
        }),
        resolve: (argument) => host.resolveNode(argument as string),
        callOther: (argument) => {
          const [service, method, value] = argument as [string, string, Json];
          return host.call(service, method, value);
        },
        ask: async (argument) => {
          const stream = await host.openStream(
            argument as { node: string; protocol: string; port: number },
          );
          await stream.write(new TextEncoder().encode("question"));
          await stream.closeWrite();
          const chunk = await stream.read();
          const text = new TextDecoder().decode(chunk ?? new Uint8Array());
          return [text, await stream.read() === null, stream.peer.id, stream.peer.der.length, [
            ...stream.path,
          ]];
        },
        abort: async () => {
          const controller = new AbortController();
          const opening = host.openStream({ node: "never", protocol: "tcp", port: 1 }, {
            signal: controller.signal,
          });
          emit("opening");
          controller.abort(new PulseError("TEST_ABORT", "changed my mind"));
          return await opening.then(() => "opened", (error: unknown) => (error as PulseError).code);
        },
      },
    },
    metrics:
      () => [{ name: "test_things", help: "Things", type: "gauge", value: 3, labels: { a: "b" } }],
    health: () => ({ ok: true, detail: "fine" }),
  };
};

export default plugin;

async function echo(stream: ByteStream): Promise<void> {
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    await stream.write(chunk);
  }
  await stream.closeWrite();
}

function reset(error: PulseError): { resetCode?: number } {
  return "resetCode" in error ? { resetCode: error.resetCode as number } : {};
}
