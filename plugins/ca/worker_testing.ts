/** Support for tests only: loads the plugin inside a Worker and joins once. @module */
import { channelPair } from "../../core/identity/channel_testing.ts";
import { generateNodeKey, joinNetwork } from "../../core/identity/mod.ts";
import type { HostServices } from "../../core/plugin/types.ts";
import ca from "./mod.ts";

const token = "a long enough master token";

function refuse(): never {
  throw new Error("the ca plugin has no business here");
}

const host: HostServices = {
  self: () =>
    Promise.resolve({ id: "", network: "corp", addresses: [], joined: false, caFingerprint: null }),
  peers: refuse,
  resolveNode: refuse,
  openStream: refuse,
  call: refuse,
  emit: () => {},
};

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(message: string): void;
};

scope.onmessage = async ({ data: dataDir }) => {
  const { signal } = new AbortController();
  const hooks = await ca({ name: "ca", config: { token }, dataDir, host, log: () => {}, signal });
  const [node, far] = channelPair();
  const served = hooks.join!(far);
  await joinNetwork(node, { key: generateNodeKey(), network: "corp", token, now: Date.now() });
  await served;
  await hooks.onStop?.();
  scope.postMessage("joined");
};
