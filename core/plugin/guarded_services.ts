import { PluginError } from "./errors.ts";
import { isJson } from "./json_value.ts";
import { RateGate } from "./rate_gate.ts";
import type { StreamSet } from "./stream_set.ts";
import type { HostServices, Json, LogFn, PluginManifest } from "./types.ts";

export interface GuardOptions {
  readonly name: string;
  readonly manifest: PluginManifest;
  readonly services: HostServices;
  readonly log: LogFn;
  readonly streams: StreamSet;
}

/** Log lines and events of one plugin: this many at once, then this many a second. The rest is counted. */
const burst = 500;
const perSecond = 100;
const maxText = 4_000;
const maxFields = 32;
const maxEventType = 64;

/**
 * Core's services as one plugin may use them: only services its manifest names, bounded streams, bounded log and events, its
 * name on everything it says.
 */
export class GuardedServices implements HostServices {
  readonly log: LogFn;
  readonly #options: GuardOptions;
  readonly #gate = new RateGate(burst, perSecond, performance.now());

  constructor(options: GuardOptions) {
    this.#options = options;
    this.log = (level, message, fields) => {
      if (!this.#mayPass()) return;
      options.log(level, message.slice(0, maxText), this.#signed(fields ?? {}));
    };
  }

  readonly self: HostServices["self"] = () => this.#options.services.self();

  readonly peers: HostServices["peers"] = () => this.#options.services.peers();

  readonly resolveNode: HostServices["resolveNode"] = (text) =>
    this.#options.services.resolveNode(text);

  readonly openStream: HostServices["openStream"] = async (request, options) => {
    const { name, manifest, services, streams } = this.#options;
    if (request.protocol === "core.datagrams" && !manifest.needs?.includes("dataplane")) {
      throw new PluginError(
        "PLUGIN_SERVICE_UNDECLARED",
        `plugin ${name} opens ${request.protocol}, which takes "dataplane" in its manifest's "needs"`,
        { plugin: name, service: "dataplane" },
      );
    }
    return await streams.add(() => services.openStream(request, options));
  };

  readonly call: HostServices["call"] = async (service, method, argument) => {
    const { name, manifest, services } = this.#options;
    if (!manifest.needs?.includes(service)) {
      throw new PluginError(
        "PLUGIN_SERVICE_UNDECLARED",
        `plugin ${name} calls the service ${service}, which its manifest does not name in "needs"`,
        { plugin: name, service },
      );
    }
    return await services.call(service, method, argument);
  };

  readonly emit: HostServices["emit"] = (type, fields) => {
    if (!this.#mayPass()) return;
    this.#options.services.emit(type.slice(0, maxEventType), this.#signed(fields));
  };

  #mayPass(): boolean {
    if (!this.#gate.pass(performance.now())) return false;
    const held = this.#gate.takeHeld();
    if (held > 0) {
      this.#options.log("warn", "log lines and events of a plugin were dropped", {
        plugin: this.#options.name,
        dropped: held,
      });
    }
    return true;
  }

  #signed(fields: { readonly [key: string]: Json | undefined }): {
    readonly [key: string]: Json | undefined;
  } {
    const entries = Object.entries(fields).slice(0, maxFields).map(([key, value]) => {
      const text = typeof value === "string" ? value.slice(0, maxText) : value;
      return [key.slice(0, maxEventType), isJson(text) ? text : null];
    });
    return { ...Object.fromEntries(entries), plugin: this.#options.name };
  }
}
