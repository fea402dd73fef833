import { commandProtocol } from "../commands/mod.ts";
import type { NodeId } from "../identity/mod.ts";
import type { Logger } from "../log/mod.ts";
import type { PluginHost } from "../plugin/mod.ts";
import type { CertificateKeeper } from "./certificate_keeper.ts";
import { serveJoin } from "./join_gate.ts";
import type { Node } from "./node.ts";
import type { NodeHistory } from "./node_history.ts";
import type { NodeHooks } from "./node_options.ts";
import { openToCa } from "./open_to_ca.ts";
import type { RemoteCommands } from "./remote_commands.ts";
import { datagramsProtocol } from "./session_datagrams.ts";

/** Whom a daemon tells what happens at its node, and who serves what comes in. */
export interface NodeHooksParts {
  readonly self: NodeId;
  node(): Node | undefined;
  readonly plugins: PluginHost;
  readonly history: NodeHistory;
  readonly certificates: CertificateKeeper;
  readonly remote: RemoteCommands;
  readonly log: Logger;
}

/** The hooks of a daemon's node. */
export function nodeHooks(parts: NodeHooksParts): NodeHooks {
  const { self, node, plugins, history, certificates, remote, log } = parts;
  return {
    networkConfig: (news) => {
      plugins.networkConfigChanged(news);
      certificates.wake();
    },
    networkConfigProblems: () => history.watchWarnings(),
    caRoll: ({ roll, to }) => {
      const fields = { detail: to.fingerprint, serial: roll.serial };
      history.event(`ca_roll_${roll.stage}`, fields);
      certificates.wake();
    },
    linkUp: (peer, kind) => {
      history.event("link_up", { node: peer, detail: kind });
      plugins.linkUp({ id: peer, kind });
    },
    linkDown: (peer, reason) => {
      history.event("link_down", { node: peer, detail: reason });
      plugins.linkDown({ id: peer, reason });
    },
    protocols: () => [
      commandProtocol,
      datagramsProtocol,
      ...plugins.protocols(),
      ...history.protocols,
    ],
    handleStream: async (protocol, stream, from) => {
      if (protocol === commandProtocol) {
        await remote.serve(stream, from);
        return true;
      }
      if (protocol === datagramsProtocol) {
        // Only for this process itself: nobody else lends its neighbours datagrams.
        if (from.origin.id !== self) return false;
        await node()?.datagrams.serve(stream);
        return true;
      }
      return await history.handle(protocol, stream, from) ||
        await plugins.handleStream(protocol, stream, from);
    },
    join: (conversation) =>
      serveJoin(conversation, {
        local: (c) => plugins.join(c),
        openToCa: (signal) => openToCa(node(), "ca.join", signal),
        log: log.child("join"),
      }),
  };
}
