import { servesTarget } from "../exits/mod.ts";
import type { Credentials } from "../identity/types.ts";
import type { StreamDeps } from "../streams/mod.ts";
import type { Admission } from "./admission.ts";
import { ControlChannel } from "./control_channel.ts";
import type { ControlTraffic } from "./control_traffic.ts";
import { exitTargets } from "./exit_targets.ts";
import type { ExitView } from "./exit_view.ts";
import type { LinkManager } from "./link_manager.ts";
import { openLocalStream } from "./local_stream.ts";
import type { MeshRoutes } from "./mesh_routes.ts";
import { MeshStreams } from "./mesh_streams.ts";
import type { NodeOptions } from "./node_options.ts";
import type { PolicyGate } from "./policy_gate.ts";
import { StreamAcceptor } from "./stream_acceptor.ts";

/** What streams of a node go by. */
export interface StreamPartsNode {
  credentials(): Credentials;
  readonly links: LinkManager;
  readonly routes: MeshRoutes;
  readonly control: ControlTraffic;
  readonly admission: Admission;
  readonly gate: PolicyGate;
  readonly exits: ExitView;
}

/** The two ends of a node's streams: what takes those that come in, and what opens its own. */
export function streamParts(
  options: NodeOptions,
  node: StreamPartsNode,
): { readonly acceptor: StreamAcceptor; readonly streams: MeshStreams } {
  const { clock, log, hooks } = options;
  const { links, routes, control, admission, gate, exits } = node;
  const deps: StreamDeps = {
    self: options.credentials.key.id,
    network: options.network,
    credentials: () => node.credentials(),
    session: (neighbour) => {
      const link = links.primary(neighbour);
      return link && { peer: link.session.peer, openStream: link.openStream };
    },
    authorize: (header) => {
      admission.authorize(header);
      gate.authorize(header);
    },
    now: () => clock.wall(),
  };
  const acceptor = new StreamAcceptor({
    deps,
    gate,
    log,
    targets: options.targets,
    exitTargets: (targets) =>
      exitTargets(targets, (address) => servesTarget(address, exits.own(), exits.meshCidrs())),
    protocols: () => hooks.protocols(),
    handle: (protocol, stream, from) => hooks.handleStream(protocol, stream, from),
    control: (link, stream) => control.accepted(link, new ControlChannel(stream)),
  });
  const streams = new MeshStreams({
    log,
    deps,
    gate,
    choose: (destination, avoid) => routes.choose(destination, avoid),
    best: (destination, avoid) => routes.best(destination, avoid),
    local: (request) =>
      openLocalStream(
        node.credentials().certificate,
        request,
        (incoming) => acceptor.serve(incoming),
      ),
  });
  return { acceptor, streams };
}
