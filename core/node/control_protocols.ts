/**
 * Protocols that nodes speak among themselves. No rule applies to them: a policy that denies everything must still be replaceable,
 * and certificates must not run out under it. What each of them lets a peer do is decided by its own server, which knows who asks.
 *
 * - `ca.join`, `ca.renew`: membership itself
 * - `core.*`: what every node does for every other
 * - `scribe.*`: the network config, the policy included
 * - `tun.keys`, `tun.label`, `tun.segments`: what carries sealed packets; the rules are held against each packet instead
 */
const controlProtocols = /^(ca\.(join|renew)|tun\.(keys|label|segments)|(core|scribe)\..+)$/;

export function isControlProtocol(protocol: string): boolean {
  return controlProtocols.test(protocol);
}
