/** The certificate authority of a network: joins, renewals, tokens, revocations, audit log. @module */
import { join } from "node:path";
import { z } from "zod";
import { errorText } from "../../core/errors/mod.ts";
import {
  canonicalMeshCidr,
  defaultMeshCidr,
  joinTokenId,
  joinTokenKey,
  renewProtocol,
  verifyCsr,
} from "../../core/identity/mod.ts";
import type {
  Json,
  PluginContext,
  PluginFactory,
  PluginHooks,
  PluginMetric,
} from "../../core/plugin/types.ts";
import { apiRoutes } from "./api.ts";
import { openAuthorities } from "./authorities.ts";
import { parseConfig } from "./config.ts";
import { CaError } from "./errors.ts";
import { Granting } from "./granting.ts";
import { eventFor } from "./event_for.ts";
import { JoinDesk } from "./join_desk.ts";
import { JoinedCourier } from "./joined_courier.ts";
import { Ledger } from "./ledger.ts";
import { parseRequest } from "./request.ts";
import { Rolling } from "./rolling.ts";
import { serveScribeRequest, serveTokenUses } from "./scribe_streams.ts";
import { openSealKey, sealKeyFile } from "./seal_key.ts";
import { ledgerFile } from "./sign_csr.ts";
import { serveJoinStream, serveRenewal } from "./streams.ts";

const csrText = z.base64().max(4096);
const signSelfArgument = z.union([
  csrText,
  z.strictObject({
    csr: csrText,
    roles: z.array(z.enum(["scribe", "exit", "relay-only"])).max(3).optional(),
  }),
]);

const revokeArgument = z.strictObject({
  node: z.string().regex(/^[0-9a-f]{32}$/, "is not a node id"),
  reason: z.string().max(200).default(""),
});

const grantArgument = z.strictObject({
  scribe: z.string().regex(/^[0-9a-f]{32}$/, "is not a node id").nullable(),
});

/** Makes the CA in the plugin's own directory, or goes on with the one that is there. */
const ca: PluginFactory = async (context: PluginContext): Promise<PluginHooks> => {
  const config = parseConfig(context.config);
  const { host, log, signal } = context;
  const now = () => Date.now();
  if (context.dataDir === "") {
    throw new CaError("CA_DIRECTORY", "the ca plugin needs read and write permission for $DATA");
  }
  const ledgerPath = join(context.dataDir, ledgerFile);
  const network = config.network ?? Ledger.networkOf(ledgerPath) ?? (await host.self()).network;
  const authorities = await openAuthorities(context.dataDir, ledgerPath, now());
  const ledger = Ledger.open(ledgerPath, authorities, {
    network,
    meshCidr: config.meshCidr,
    days: config.days,
  }, now());
  const { token } = config;
  ledger.setMasterToken(
    token === undefined ? null : { id: joinTokenId(token), macKey: joinTokenKey(token) },
    now(),
  );
  const verdict = ledger.audit.verify();
  if (verdict.brokenAt !== null) {
    log("error", "the CA's audit log was tampered with", { ...verdict });
  }
  const sealKey = await openSealKey(join(context.dataDir, sealKeyFile));
  const granting = new Granting({ ledger, sealKey, host, log, now });
  const directory = context.dataDir;
  const rolling = new Rolling({ directory, ledger, granting, host, log, now });
  const courier = new JoinedCourier({
    outbox: ledger.outbox,
    scribe: () => ledger.grants.latest()?.scribe ?? null,
    openStream: (request, options) => host.openStream(request, options),
    log,
    signal,
  });
  let delivering: Promise<void> | undefined;
  ledger.audit.onEntry = (type, fields) => {
    const event = eventFor(type, fields);
    if (event === undefined) return;
    try {
      host.emit(event.type, event.fields);
    } catch (error) {
      // What it tells of has happened and must not look as if it had failed.
      log("error", "an event could not be told", { event: event.type, error: errorText(error) });
    }
  };
  const desk = new JoinDesk({ ledger, network, log, now, signal });

  let following: Promise<void> = Promise.resolve();
  let isRangeCompared = false;
  const follow = async () => {
    // The roll first: a grant may be signed by the new CA.
    await rolling.follow();
    await granting.follow();
    const { meshCidr } = ledger;
    const isDefault = config.meshCidr === defaultMeshCidr;
    if (!isRangeCompared && !isDefault && canonicalMeshCidr(config.meshCidr) !== meshCidr) {
      log("warn", "--mesh-cidr is what a network begins with; its config says another range now", {
        flag: config.meshCidr,
        meshCidr,
        hint: `pulse config mesh-cidr ${config.meshCidr}`,
      });
    }
    isRangeCompared = true;
    courier.wake();
  };

  // For the daemon beside the CA: who controls this machine has the CA's key anyway. Without roles named it keeps those it has.
  const signSelf = async (argument: Json): Promise<Json> => {
    // What has come before this counts; whether it could be taken is told where it came.
    await Promise.allSettled([following]);
    const parsed = parseRequest(signSelfArgument, argument);
    const request = typeof parsed === "string" ? { csr: parsed } : parsed;
    const csr = Uint8Array.fromBase64(request.csr);
    const roles = request.roles ?? ledger.nodes.roles(verifyCsr(csr).id) ?? [];
    const certificate = ledger.issueLocally(
      "self",
      csr,
      [...new Set(["ca" as const, ...roles])],
      now(),
    );
    const { anchor } = ledger.authorities.newest;
    return await Promise.resolve({ certificate: certificate.pem, anchor: anchor.pem });
  };

  return {
    onStart: () => {
      delivering = courier.run();
    },
    join: async (conversation) => {
      await desk.serve(conversation);
      courier.wake();
    },
    onLinkUp: () => courier.wake(),
    onNetworkConfig: async () => {
      following = follow();
      await following;
    },
    streams: {
      "ca.join": async (stream, from) => {
        await serveJoinStream(desk, stream, from, signal);
        courier.wake();
      },
      "ca.scribe": (stream, from) =>
        serveScribeRequest(granting, stream, from, { now, signal, log }),
      "ca.tokens": (stream, from) => serveTokenUses(ledger, stream, from, { now, signal, log }),
      [renewProtocol]: (stream, from) => serveRenewal(ledger, stream, from, { now, signal, log }),
    },
    apiRoutes: apiRoutes({ ledger, granting, rolling, network, host, now }),
    services: {
      ca: {
        signSelf,
        /** For the plugin that decides who belongs to the network. */
        revoke: async (argument) => {
          const { node, reason } = parseRequest(revokeArgument, argument);
          const fresh = ledger.revokeNode(node, reason, now());
          return await Promise.resolve({ node, alreadyRevoked: !fresh });
        },
        /** The scribe's role for a node; null takes it away. */
        grant: async (argument) => {
          const { scribe } = parseRequest(grantArgument, argument);
          return { epoch: (await granting.grant(scribe)).epoch, scribe };
        },
        revoked: () => Promise.resolve(ledger.nodes.revokedIds()),
      },
    },
    metrics: () => metrics(ledger, desk),
    health: () =>
      verdict.brokenAt === null
        ? {
          ok: true,
          detail: `CA of network ${network}, ${verdict.entries} audit entries in order`,
        }
        : { ok: false, detail: `audit log: ${verdict.reason}` },
    onStop: async () => {
      await delivering;
      ledger[Symbol.dispose]();
    },
  };
};

export default ca;

function metrics(ledger: Ledger, desk: JoinDesk): PluginMetric[] {
  const count = (name: string, help: string, value: number): PluginMetric => ({
    name,
    help,
    // Only a counter may be called so, and tokens go as well as come.
    type: name.endsWith("_total") ? "untyped" : "gauge",
    value,
  });
  const tokens = ledger.tokens.list(Date.now());
  return [
    count("pulse_tokens_total", "Join tokens known to the CA", tokens.length),
    count(
      "pulse_tokens_valid",
      "Join tokens a node can still join with",
      tokens.filter((token) => token.status === "valid").length,
    ),
    count("pulse_ca_joins_open", "Join conversations going on", desk.open),
    count(
      "pulse_ca_revoked_nodes",
      "Nodes the CA has revoked",
      ledger.nodes.revokedIds().length,
    ),
  ];
}
