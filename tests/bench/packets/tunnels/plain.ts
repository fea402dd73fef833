import { outerAddress, type TunnelKind } from "../tunnel.ts";

/** No tunnel: what the cable gives. */
export const plain: TunnelKind = {
  name: "no tunnel",
  commands: [],
  relays: false,
  start: (site) =>
    Promise.resolve({
      address: outerAddress(site, "b", "a"),
      pids: [],
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
};
