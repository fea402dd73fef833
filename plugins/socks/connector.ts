import { formatHostPort } from "../../core/address/mod.ts";
import { PulseError } from "../../core/errors/mod.ts";
import type { HostServices } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { destinationOf, meshTarget } from "./destination.ts";
import type { MeshAddressBook } from "./mesh_address_book.ts";
import type { SocksRequest } from "./socks_protocol.ts";

/** Opens the way to where a client wants to go. @throws {PulseError} its code decides the reply */
export type Connect = (request: SocksRequest, signal: AbortSignal) => Promise<ByteStream>;

export interface ConnectorOptions {
  readonly openStream: HostServices["openStream"];
  readonly addresses: MeshAddressBook;
  /** What the streams carry. */
  readonly protocol: "tcp" | "udp";
  /** Whether an exit of the mesh leads to a host. @throws {PulseError} EXIT_DOWN */
  leadsOut(host: string): Promise<boolean>;
  /** Reaches what lies outside the mesh from this machine; undefined: that is refused. */
  readonly direct:
    | ((host: string, port: number, signal: AbortSignal) => Promise<ByteStream>)
    | undefined;
}

/**
 * `.pulse` names and mesh addresses lead through the mesh, what lies behind an exit through that; the rest is refused, or dialled
 * from here if the operator says so.
 */
export function makeConnector(options: ConnectorOptions): Connect {
  const { openStream, addresses, protocol, leadsOut, direct } = options;
  return async (request, signal) => {
    const { host, port } = request;
    const destination = destinationOf(request);
    const mesh = (node: string, target: string) =>
      openStream({ node, protocol, target, port }, { signal });
    if (destination.kind === "mesh") return await mesh(destination.node, destination.target);
    if (destination.kind === "address") {
      const node = await addresses.find(host);
      if (node !== undefined) return await mesh(node, meshTarget("", port));
    }
    if (await leadsOut(host)) {
      const target = formatHostPort({ host, port });
      return await openStream({ node: "", protocol: `${protocol}.exit`, target, port }, { signal });
    }
    if (direct !== undefined) return await direct(host, port, signal);
    throw new PulseError(
      "SOCKS_OUTSIDE",
      `${host} is not in the mesh nor behind an exit, and this node dials nothing else; ask for <host>.<node>.pulse`,
      { host },
    );
  };
}
