import { z } from "zod";
import { encodeInvite } from "../../../core/identity/mod.ts";
import type { HostServices, PluginApiRoute } from "../../../core/plugin/types.ts";
import type { DirectoryNode } from "../mesh_services.ts";
import { ScribeError } from "../errors.ts";
import { parseRequest } from "../request.ts";
import { maxUses, mintToken, span, tokenPromises, type TokenRoutesOptions } from "./tokens.ts";
import { adminRoute } from "./route.ts";

/** As many as an invite code has room for. */
const maxRelays = 8;

const inviteRequest = z.strictObject({
  ttl: span.default("24h"),
  maxUses: maxUses.default(1),
  network: z.string().max(64).optional(),
  relays: z.array(z.string().max(300)).min(1).max(maxRelays).optional(),
  ...tokenPromises,
});

/** An invite code: where to join, a token of its own, and the CA to trust. */
export function inviteRoute(
  options: TokenRoutesOptions & { readonly host: Pick<HostServices, "self" | "peers"> },
): PluginApiRoute {
  const { scribe, host } = options;
  return adminRoute("POST", "/scribe/invite", "Make an invite code", async (request) => {
    const { network: wanted, relays: named, ...asked } = parseRequest(
      inviteRequest,
      request.body ?? {},
    );
    const { network, addresses, caFingerprint } = await host.self();
    if (wanted !== undefined && wanted !== network) {
      throw new ScribeError(
        "SCRIBE_REQUEST_INVALID",
        `this is the scribe of network "${network}"; an invite to "${
          wanted.slice(0, 40)
        }" has to come from its own`,
      );
    }
    const ca = (await host.peers()).find(({ roles }) => roles.includes("ca"))?.id;
    const relays = named ?? joinDoors(addresses, ca, await scribe.mesh.directory());
    if (relays.length === 0 || caFingerprint === null) {
      throw new ScribeError(
        "SCRIBE_NO_RELAY",
        "no node of the network advertises an address that an invite could name: name relays (host:port)",
      );
    }
    const { token: made, version } = await mintToken(options, asked, request);
    const { token, ...record } = made;
    const code = encodeInvite({ network, relays, token, caFingerprint });
    return {
      status: 201,
      body: { code, network, relays: [...relays], caFingerprint, token: record },
      etag: version,
    };
  }, { body: inviteRequest });
}

/** Every member lets newcomers join through it: this node, the CA, those that this node is linked with, then the others. */
export function joinDoors(
  own: readonly string[],
  ca: string | undefined,
  nodes: readonly Pick<DirectoryNode, "id" | "addresses" | "linked">[],
): readonly string[] {
  const rank = ({ id, linked }: Pick<DirectoryNode, "id" | "linked">) =>
    id === ca ? 0 : linked ? 1 : 2;
  const others = nodes.toSorted((a, b) => rank(a) - rank(b)).flatMap((node) => node.addresses);
  return [...new Set([...own, ...others])].slice(0, maxRelays);
}
