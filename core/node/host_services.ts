import { PulseError } from "../errors/mod.ts";
import type { HostServices, Json } from "../plugin/types.ts";
import { meshAddressesOf } from "./directory.ts";
import type { Node } from "./node.ts";
import { openExitStream } from "./open_exit_stream.ts";
import { targetProtocol } from "./target_protocols.ts";

/** What plugins may ask of core. The node comes later than its plugins: the CA plugin makes its certificate. */
export interface HostServicesOptions {
  readonly id: string;
  /** As configured; what the certificate says counts for more. */
  readonly network: string;
  node(): Node | undefined;
  /** Services other plugins provide. */
  call(service: string, method: string, argument: Json): Promise<Json>;
  emit(type: string, fields: { readonly [key: string]: Json | undefined }): void;
}

/** @returns core's side of the plugin interface */
export function makeHostServices(options: HostServicesOptions): HostServices {
  const joined = (): Node => {
    const node = options.node();
    if (node === undefined) {
      throw new PulseError("NODE_NOT_JOINED", "This node has not joined a network yet");
    }
    return node;
  };
  return {
    self: () => {
      const node = options.node();
      return Promise.resolve({
        id: options.id,
        // Who joined by an invite has its network's name from there.
        network: node?.credentials.certificate.network ?? options.network,
        addresses: node?.addresses ?? [],
        joined: node !== undefined,
        caFingerprint: node?.credentials.anchor.fingerprint ?? null,
      });
    },
    peers: () => {
      const node = joined();
      const { body } = node.networkConfig;
      const peers = [...node.records()].filter((record) => record.id !== node.id);
      return Promise.resolve(peers.map((record) => ({
        id: record.id,
        ...(body.nodes[record.id]?.name && { name: body.nodes[record.id]!.name! }),
        meshAddresses: meshAddressesOf(record.certificate, body.nodes[record.id]),
        roles: record.certificate.roles,
        capabilities: record.report.capabilities,
        linked: node.link(record.id) !== undefined,
      })));
    },
    // Async functions, so that a bad name is a rejection and never a throw across the plugin boundary.
    resolveNode: async (text) => await Promise.resolve(joined().findNode(text)),
    openStream: async (request, streamOptions) => {
      const node = joined();
      const { node: name, ...rest } = request;
      if (targetProtocol(rest.protocol)?.exit && name === "") {
        return await openExitStream(rest, {
          self: node.id,
          exits: node.exits,
          open: (asked) => node.openStream(asked, streamOptions),
        });
      }
      return await node.openStream({ destination: node.findNode(name), ...rest }, streamOptions);
    },
    call: (service, method, argument) => options.call(service, method, argument),
    emit: (type, fields) => options.emit(type, fields),
  };
}
