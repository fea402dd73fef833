import assert from "node:assert/strict";
import { formatHostPort } from "../../core/address/mod.ts";
import type { CarrierName } from "../../plugins/tun-fec/control/data_plane.ts";
import type { Lab } from "../lab/mod.ts";
import type { ServiceInfo } from "./fixtures/service.ts";
import type { SteadyReport } from "./fixtures/steady.ts";
import type { SystemMesh } from "./system_mesh.ts";
import type { Talk } from "./talk.ts";

/** What tests of the packet tunnel need. */
export const tunNeeds = {
  namespaces: true,
  tun: true,
  commands: ["curl", "ping"],
} as const;

/** Nodes of a lab with packet tunnels between them. */
export class TunMesh {
  readonly mesh: SystemMesh;
  readonly net: Lab;

  constructor(mesh: SystemMesh, net: Lab) {
    this.mesh = mesh;
    this.net = net;
  }

  /**
   * Starts the CA, and the others as members that are told where it is.
   * @param doors where each of the others reaches it
   */
  async start(ca: string, doors: Readonly<Record<string, string>>, flags: readonly string[] = []) {
    const { mesh } = this;
    const names = Object.keys(doors);
    await mesh.start(ca, "--ca", "--scribe", "--tun", ...flags);
    const code = await mesh.invite(ca, "--max-uses", String(names.length));
    await Promise.all(names.map(async (name) => {
      const door = formatHostPort({ host: doors[name]!, port: 8443 });
      await mesh.ok(name, "join", code);
      await mesh.start(name, "--tun", ...flags, door);
    }));
  }

  /** Waits until packets travel so, both ways. */
  async carried(a: string, b: string, carrier: CarrierName, timeoutMs?: number): Promise<void> {
    for (const [of, other] of [[a, b], [b, a]] as const) {
      await this.mesh.node(of).eventually(
        `${of} carries packets to ${other} by ${carrier}`,
        async () => (await this.mesh.peer(of, other))?.carrier === carrier,
        timeoutMs,
      );
    }
  }

  /** Waits until a relay passes on packets by label. */
  async carriedBy(relay: string): Promise<void> {
    await this.mesh.node(relay).eventually(
      `${relay} passes packets on`,
      async () => await this.metric(relay, "relayed_segments") > 0,
    );
  }

  async addresses(name: string): Promise<{ readonly ipv4: string; readonly ipv6: string }> {
    const { self } = await this.mesh.node(name).status();
    const [ipv4 = "", ipv6 = ""] = self.meshAddresses;
    return { ipv4, ipv6 };
  }

  /** Whether one of so many pings, five a second, is answered; over before the others are sent. */
  async pings(from: string, address: string, count = 5): Promise<boolean> {
    const argv = ["ping", "-n", "-c", "1", "-W", "1", address];
    for (let n = 0; n < count; n++) {
      if ((await this.net.run(from, argv)).code === 0) return true;
    }
    return false;
  }

  /** Waits for a ping that is answered: milliseconds until then. */
  async untilPinged(from: string, address: string, timeoutMs: number): Promise<number> {
    const began = performance.now();
    const argv = ["ping", "-n", "-c", "1", "-W", "0.2", address];
    await this.mesh.node(from).eventually(
      `${from} gets an answer of ${address}`,
      async () => (await this.net.run(from, argv)).code === 0,
      timeoutMs,
    );
    return performance.now() - began;
  }

  /** What a node counts under a name, in all. */
  async metric(node: string, name: string): Promise<number> {
    const { body } = await this.mesh.node(node).api("GET", "/metrics");
    const lines = String(body).matchAll(new RegExp(`^pulse_tun_${name}(?:\\{.*\\})? (.*)$`, "gm"));
    return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** Fetches the whole file of a service. */
  async fetchesFile(from: string, host: string, { http, sha256 }: ServiceInfo): Promise<void> {
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${http}/file`;
    const fetched = await this.mesh.curl(from, url);
    assert.deepEqual([fetched.code, fetched.stderr, fetched.sha256], [0, "", sha256]);
  }

  /** A connection to a service that is never quiet. */
  async steady(from: string, host: string, { echo }: ServiceInfo): Promise<Steady> {
    const talk = this.mesh.fixture(from, "steady.ts", host, String(echo));
    assert.equal(await talk.line(), "connected");
    return new Steady(talk);
  }

  /** Exchanges datagrams of all sizes with a service. */
  async exchangesDatagrams(from: string, host: string, { udp }: ServiceInfo): Promise<void> {
    const [count, largest] = [60, 20_000];
    const args = [host, String(udp), String(count), String(largest)];
    const said = await this.mesh.fixture(from, "datagrams.ts", ...args).line();
    assert.deepEqual(JSON.parse(said), { equal: count, wrong: 0 });
  }
}

/** Processes that a piece and its answer pass. */
const carriers = 8;

/** See `fixtures/steady.ts`. */
export class Steady {
  readonly #talk: Talk;

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  /** What has happened since this was asked the last time. */
  async report(): Promise<SteadyReport> {
    await this.#talk.write("report\n");
    return JSON.parse(await this.#talk.line());
  }

  /**
   * Waits until something comes back that was sent after this was called.
   *
   * @param quietMs how long nothing may come back. Several processes on either side carry a piece, and each may be kept waiting by
   * a busy machine as long as this one was: that much is allowed for on top
   */
  async goesOn(
    mesh: SystemMesh,
    node: string,
    timeoutMs: number,
    quietMs = Infinity,
  ): Promise<void> {
    let [total, longest, lag] = [0, 0, 0];
    await mesh.node(node).eventually("the connection goes on", async () => {
      const { turns, longestMs, lagMs, ended } = await this.report();
      assert.equal(ended, null);
      total += turns;
      longest = Math.max(longest, longestMs);
      lag = Math.max(lag, lagMs);
      return total > 20;
    }, timeoutMs);
    assert.ok(
      longest < quietMs + carriers * lag,
      `quiet for ${Math.round(longest)} ms, on a machine that let this process wait ${
        Math.round(lag)
      } ms`,
    );
  }
}
