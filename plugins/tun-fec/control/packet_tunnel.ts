import { errorCode, errorText, PulseError } from "../../../core/errors/mod.ts";
import type { HostServices, LogFn, PluginMetric } from "../../../core/plugin/types.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import type { NodeId } from "../../../core/identity/mod.ts";
import { Errno } from "../../../ffi/libc/errno.ts";
import { FfiError } from "../../../ffi/libc/errors.ts";
import type { TunConfig } from "../config.ts";
import { type WantedState, wantedState } from "../interface/wanted_state.ts";
import { keysProtocol } from "../keys/key_exchange.ts";
import { segmentsProtocol } from "../carriers/session_carrier.ts";
import { labelProtocol } from "../labels/label_lease.ts";
import type { LoopPort } from "../loop/loop_port.ts";
import type { LoopEvent } from "../loop/types.ts";
import { readSnapshot } from "../mesh/snapshot.ts";
import { tunMetrics } from "../metrics.ts";
import { sleep } from "../sleep.ts";
import { DataPlane } from "./data_plane.ts";

/** Between two questions whether the node has joined by now. */
const joinPollMs = 500;
/** The loop opens its sockets and says that it is ready, within this time. */
const readyMs = 10_000;

/** The interface packets come and go by. */
export interface TunnelInterface extends Disposable {
  readonly name: string;
  apply(wanted: WantedState): void;
}

/** A loop that has been started, and where its data comes in. */
export interface RunningLoop extends LoopPort {
  /** UDP port; 0 where it is QUIC's. */
  readonly port: number;
}

/** What the tunnel is made of on this machine; tests give others. */
export interface TunnelParts<Interface extends TunnelInterface = TunnelInterface> {
  /** @throws {FfiError} what is missing, in one line */
  openInterface(): Interface;
  /**
   * @param quic where QUIC is bound, `ip:port`; null without QUIC
   * @param share whether the port is to be QUIC's
   */
  startLoop(
    tun: Interface,
    quic: string | null,
    share: boolean,
    heard: (event: LoopEvent) => void,
  ): Promise<RunningLoop>;
}

export interface PacketTunnelOptions<Interface extends TunnelInterface> {
  readonly config: TunConfig;
  readonly parts: TunnelParts<Interface>;
  readonly host: Pick<HostServices, "call" | "openStream" | "emit">;
  readonly log: LogFn;
  /** The tunnel has ended by itself, and has cleaned up. */
  failed(error: PulseError): void;
}

/** One life of the packet tunnel: the interface first, the loop as soon as the node has joined. */
export class PacketTunnel<Interface extends TunnelInterface> implements AsyncDisposable {
  readonly #options: PacketTunnelOptions<Interface>;
  readonly #stop = new AbortController();
  #interface: Interface | undefined;
  #loop: RunningLoop | undefined;
  #plane: DataPlane | undefined;
  #running = Promise.resolve();
  /** Ends the loop that runs: with an error, or to start another one that has its own port. */
  #end: ((why: PulseError | "unshareable") => void) | undefined;
  #share = true;

  constructor(options: PacketTunnelOptions<Interface>) {
    this.#options = options;
  }

  /** @throws {PulseError} TUN_MISSING for good; otherwise another try may help */
  start(): void {
    this.#interface = this.#open();
    this.#running = this.#run(this.#interface);
  }

  meshChanged(): void {
    this.#plane?.meshChanged();
  }

  /** Serves a stream of another node; before there is a loop there is nothing to agree on. */
  async serve(protocol: string, stream: ByteStream, from: NodeId): Promise<void> {
    const handler = this.#plane?.streams[protocol];
    if (handler === undefined) return stream.reset();
    await handler(stream, from);
  }

  static readonly protocols: readonly string[] = [keysProtocol, labelProtocol, segmentsProtocol];

  metrics(): PluginMetric[] {
    const plane = this.#plane;
    if (plane === undefined) return [];
    const { stats, sessionDrops } = plane;
    return tunMetrics({ stats, sessionDrops, peerOf: (index) => plane.peerOf(index) });
  }

  health(): { readonly ok: boolean; readonly detail: string } {
    const plane = this.#plane;
    if (plane === undefined) return { ok: true, detail: "waits until the node has joined" };
    const port = this.#loop?.port === 0 ? "QUIC's port" : `UDP port ${this.#loop?.port}`;
    return {
      ok: true,
      detail: `${this.#interface?.name}, ${port}, keys for ${plane.sealing} nodes`,
    };
  }

  #open(): Interface {
    try {
      return this.#options.parts.openInterface();
    } catch (cause) {
      throw new PulseError(
        "TUN_MISSING",
        `There is no packet tunnel, everything else works: ${errorText(cause)}`,
        // A name that is taken may be free when another process has ended; rights and devices do not come by themselves.
        { permanent: !(cause instanceof FfiError && cause.errno === Errno.EBUSY) },
        cause,
      );
    }
  }

  async #run(tun: Interface): Promise<void> {
    const { signal } = this.#stop;
    const { host, log, failed } = this.#options;
    let error: PulseError | undefined;
    try {
      const quic = await this.#joined();
      while (error === undefined && !signal.aborted) {
        const why = await this.#life(tun, quic);
        if (why === "unshareable") {
          this.#share = false;
          log("warn", "QUIC's port cannot be shared here: packets get a port of their own");
        } else {
          error = why;
        }
      }
    } catch (cause) {
      error = new PulseError(errorCode(cause, "TUN_FAILED"), errorText(cause), {}, cause);
    }
    tun[Symbol.dispose]();
    if (signal.aborted || error === undefined) return;
    host.emit("tun_down", { detail: error.message });
    failed(error);
  }

  /** Where QUIC is bound, once there is a node. */
  async #joined(): Promise<string | null> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const mesh = await this.#options.host.call("dataplane", "snapshot", { known: 0 });
        return readSnapshot(mesh)?.port ?? null;
      } catch (error) {
        if (errorCode(error) !== "NODE_NOT_JOINED") throw error;
      }
      await sleep(joinPollMs, signal);
    }
    return null;
  }

  /** A loop from its start to its end; undefined: it was told to. */
  async #life(
    tun: Interface,
    quic: string | null,
  ): Promise<PulseError | "unshareable" | undefined> {
    const { signal } = this.#stop;
    const { config, parts, host, log } = this.#options;
    if (signal.aborted) return undefined;
    const ended = Promise.withResolvers<PulseError | "unshareable" | undefined>();
    const ready = Promise.withResolvers<void>();
    this.#end = ended.resolve;
    const stop = () => ended.resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(() => {
      ended.resolve(new PulseError("TUN_LOOP", "The packet loop did not start in time"));
    }, readyMs);
    await using stack = new AsyncDisposableStack();
    stack.defer(() => clearTimeout(timer));
    const loop = stack.use(
      await parts.startLoop(tun, quic, this.#share, (event) => {
        if (event.say === "ready") ready.resolve();
        else if (event.say === "portUnshareable") ended.resolve("unshareable");
        else if (event.say === "failed") {
          ended.resolve(new PulseError("TUN_LOOP", `The packet loop has failed: ${event.error}`));
        } else this.#plane?.heard(event);
      }),
    );
    await Promise.race([ready.promise, ended.promise]);
    clearTimeout(timer);
    const plane = stack.use(
      new DataPlane({
        host,
        loop,
        port: loop.port,
        fec: config.fec,
        ...(config.rekeySeconds !== undefined && { keyTimes: keyTimes(config.rekeySeconds) }),
        meshChanged: (mesh) => tun.apply(wantedState(mesh)),
        random: () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32,
        now: () => performance.now(),
        log,
      }),
    );
    this.#loop = loop;
    this.#plane = plane;
    log("info", "packets are carried", { interface: tun.name, port: loop.port || "QUIC's" });
    host.emit("tun_up", { detail: tun.name });
    const why = await ended.promise;
    this.#plane = this.#loop = undefined;
    return why;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const up = this.#plane !== undefined;
    this.#stop.abort();
    await this.#running;
    if (up) this.#options.host.emit("tun_down", { detail: "the node is shutting down" });
  }
}

/** All times in the proportion of the usual ones. */
function keyTimes(seconds: number) {
  const rekeyMs = seconds * 1_000;
  return {
    rekeyMs,
    expireMs: rekeyMs * 1.5,
    lingerMs: Math.max(2_000, rekeyMs / 8),
    retryMs: Math.max(500, rekeyMs / 24),
  };
}
