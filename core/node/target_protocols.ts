/** What a request with a target leads to. */
export interface TargetProtocol {
  readonly carries: "tcp" | "udp";
  /** The target lies outside the mesh, and the node asked is an exit to it: it leads there only if it says that it does. */
  readonly exit: boolean;
}

const targetProtocols: Readonly<Record<string, TargetProtocol>> = {
  tcp: { carries: "tcp", exit: false },
  udp: { carries: "udp", exit: false },
  "tcp.exit": { carries: "tcp", exit: true },
  "udp.exit": { carries: "udp", exit: true },
};

/** How a protocol leads on to the target that the request names; undefined: it leads to none. */
export function targetProtocol(protocol: string): TargetProtocol | undefined {
  return Object.hasOwn(targetProtocols, protocol) ? targetProtocols[protocol] : undefined;
}
