/** The scribe: changes the signed network config, keeps its history, mints join tokens, commands nodes. @module */
import { join } from "node:path";
import { z } from "zod";
import { errorCode, errorText } from "../../core/errors/mod.ts";
import type { NodeId } from "../../core/identity/types.ts";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import type {
  PluginContext,
  PluginFactory,
  PluginHooks,
  PluginMetric,
} from "../../core/plugin/types.ts";
import { aclRoutes } from "./api/acls.ts";
import { configRoutes } from "./api/config.ts";
import { dnsRoutes } from "./api/dns.ts";
import { nodeChangeRoutes } from "./api/node_changes.ts";
import { nodeRoutes } from "./api/nodes.ts";
import { remoteRoutes } from "./api/remote.ts";
import { revocationRoutes } from "./api/revocations.ts";
import { exitRoutes } from "./api/routes.ts";
import { templateRoutes } from "./api/templates.ts";
import { inviteRoute } from "./api/invite.ts";
import { tokenRoutes } from "./api/tokens.ts";
import { removeNode } from "./changes/remove_node.ts";
import { openScribeDatabase } from "./database.ts";
import { EphemeralWatch } from "./ephemeral_watch.ts";
import { ScribeError } from "./errors.ts";
import { JoinedNodes } from "./joined_nodes.ts";
import { MeshServices } from "./mesh_services.ts";
import { RemoteControl } from "./remote_control.ts";
import { parseRequest } from "./request.ts";
import { Scribe } from "./scribe.ts";
import { joinedProtocol, serveJoined } from "./serve_joined.ts";
import { sweepDelayMs, SweepTimer } from "./sweep_timer.ts";
import { VersionHistory } from "./version_history.ts";
import { TokenUses } from "./token_uses.ts";
import { versionText } from "./version_text.ts";

const config = z.strictObject({
  /** How often ephemeral nodes are looked after at least. */
  sweepSeconds: z.number().positive().max(3_600).default(60),
});

/** The plugin's factory; its configuration may be left out. */
const scribePlugin: PluginFactory = async (context: PluginContext): Promise<PluginHooks> => {
  const { sweepSeconds } = parseRequest(config, context.config);
  const { host, log, signal } = context;
  if (context.dataDir === "") {
    throw new ScribeError(
      "SCRIBE_HISTORY",
      "the scribe plugin needs read and write permission for $DATA",
    );
  }
  const now = () => Date.now();
  const database = openScribeDatabase(join(context.dataDir, "scribe.db"));
  const history = new VersionHistory(database);
  const joined = new JoinedNodes(database);
  const verdict = history.verify();
  if (verdict.broken !== null) {
    log("error", "the history of the network config was tampered with", { ...verdict });
  }
  const mesh = new MeshServices(host);
  const { id: self } = await host.self();
  const scribe = new Scribe({ self, mesh, host, history, log, now });
  const control = new RemoteControl({
    openStream: (request, options) => host.openStream(request, options),
    network: async () => (await host.self()).network,
    now,
    nonce: () => crypto.getRandomValues(new Uint8Array(16)).toHex(),
  });
  const tokens = { scribe, now, uses: new TokenUses({ self, host, log, signal }) };
  const sweep = makeSweep(scribe, joined, self);
  const sweeps = new SweepTimer({
    delay: () => sweepDelayMs(joined.ephemeral().values(), sweepSeconds * 1000),
    now: () => performance.now(),
    sweep: () =>
      sweep(performance.now()).catch((error: unknown) => {
        log("warn", "ephemeral nodes could not be looked after", {
          code: errorCode(error),
          error: errorText(error),
        });
      }),
  });

  return {
    onStart() {
      sweeps.update();
    },
    onNetworkConfig() {
      // Not waited for: a change of our own that is under way comes first.
      scribe.recordForeign().catch((error: unknown) => {
        log("warn", "a version of the network config is missing in the history", {
          error: errorText(error),
        });
      });
    },
    streams: {
      [joinedProtocol]: (stream, from) =>
        serveJoined(stream, from, {
          scribe,
          joined,
          now,
          log,
          signal,
          added: () => sweeps.update(),
        }),
    },
    apiRoutes: [
      ...nodeRoutes(scribe),
      ...configRoutes(scribe),
      ...dnsRoutes(scribe),
      ...aclRoutes(scribe, (from, to) => mesh.path(from, to)),
      ...nodeChangeRoutes(scribe),
      ...exitRoutes(scribe),
      ...revocationRoutes(scribe, () => host.peers()),
      ...tokenRoutes(tokens),
      inviteRoute({ ...tokens, host }),
      ...templateRoutes(scribe),
      ...remoteRoutes({
        scribe,
        control,
        emit: (type, fields) => host.emit(type, fields),
        signal,
      }),
    ],
    metrics: async () => tokenMetrics((await mesh.current()).body.tokens, now()),
    health: async () => {
      if (verdict.broken !== null) {
        return { ok: false, detail: `the history was changed at version ${verdict.broken}` };
      }
      try {
        const current = await mesh.current();
        const role = current.scribe ? "the scribe" : "not the scribe at present";
        return { ok: true, detail: `${role}, config version ${versionText(current)}` };
      } catch (error) {
        if (errorCode(error) !== "NODE_NOT_JOINED") throw error;
        return { ok: true, detail: "the node has not joined a network yet" };
      }
    },
    async onStop() {
      await sweeps[Symbol.asyncDispose]();
      await scribe.settled();
      database[Symbol.dispose]();
    },
  };
};

export default scribePlugin;

/** The CA tells more of them, where it is on the same node. */
function tokenMetrics(tokens: ConfigBody["tokens"], now: number): PluginMetric[] {
  const valid = tokens.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
  return [
    {
      name: "pulse_tokens_total",
      help: "Join tokens of the network",
      // Only a counter may be called so, and tokens go as well as come.
      type: "untyped",
      value: tokens.length,
    },
    {
      name: "pulse_tokens_valid",
      help: "Join tokens that have not expired; how often they were used the CA knows",
      type: "gauge",
      value: valid.length,
    },
  ];
}

/** Removes the ephemeral nodes that have been gone for their time. */
function makeSweep(
  scribe: Scribe,
  joined: JoinedNodes,
  self: NodeId,
): (now: number) => Promise<void> {
  const watch = new EphemeralWatch();
  return async (now) => {
    const ttls = joined.ephemeral();
    if (ttls.size === 0) return;
    const [{ scribe: inCharge }, nodes] = await Promise.all([
      scribe.mesh.current(),
      scribe.mesh.directory(),
    ]);
    if (!inCharge) return;
    const others = nodes.filter(({ id }) => id !== self);
    const sightings = await Promise.all(others.map(async ({ id, linked }) => {
      // A path is looked for only where the answer matters.
      const reachable = linked || ttls.has(id) && await scribe.mesh.path(self, id) !== null;
      return { id, reachable };
    }));
    for (const node of watch.look(sightings, ttls, now)) {
      const event = { type: "node_removed", node, about: () => null };
      await scribe.change(
        removeNode,
        { node, reason: "ephemeral, and gone" },
        event,
        { by: "scribe", force: true },
      );
      joined.forget(node);
    }
  };
}
