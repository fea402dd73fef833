/**
 * Protocols that nodes speak among themselves. No rule applies to them: a policy that denies everything must still be replaceable,
 * and certificates must not run out under it. What each of them lets a peer do is decided by its own server, which knows who asks.
 *
 * - `ca.join`, `ca.renew`: membership itself
 * - `core.*`: what every node does for every other
 * - `scribe.*`: the network config, the policy included
 */
const controlProtocols = /^(ca\.(join|renew)|(core|scribe)\..+)$/;

export function isControlProtocol(protocol: string): boolean {
  return controlProtocols.test(protocol);
}
