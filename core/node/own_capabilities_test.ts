import assert from "node:assert/strict";
import { ownCapabilities } from "./own_capabilities.ts";

const plain = {
  ca: false,
  scribe: false,
  socks: null,
  dns: null,
  exit: { cidrs: [], use: null, killswitch: false },
  tun: null,
};
const tun = { name: "pulse0", fec: true, queues: 1, rekeySeconds: null };
const exit = { ...plain.exit, cidrs: ["0.0.0.0/0"] };

Deno.test("a node with nothing switched on relays", () => {
  assert.deepEqual(ownCapabilities(plain, () => true), ["relay"]);
});

Deno.test("what is switched on is said", () => {
  const config = { ...plain, ca: true, scribe: true, socks: "127.0.0.1:1", exit };
  assert.deepEqual(ownCapabilities(config, () => true), ["relay", "ca", "scribe", "socks", "exit"]);
});

Deno.test("packets are promised only while the plugins that carry them run", () => {
  const told = (...running: string[]) =>
    ownCapabilities({ ...plain, tun, exit }, (plugin) => running.includes(plugin)).length;
  assert.deepEqual([told(), told("exit"), told("tun-fec"), told("tun-fec", "exit")], [2, 2, 4, 5]);
});
