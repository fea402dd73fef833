import { type HostPort, ipForms, isLoopbackIp } from "../address/mod.ts";

/**
 * Whether an address is where this node's own SOCKS listens. Whoever is led there through the mesh goes on from it in this node's
 * name, and so to where the rules allow this node and not them.
 * @param proxy where it listens; null where there is none
 * @param interfaces this machine's own addresses, asked only when the port is right
 */
export function isOwnProxy(
  proxy: HostPort | null,
  { host, port }: HostPort,
  interfaces: () => readonly string[],
): boolean {
  if (proxy === null || port !== proxy.port) return false;
  if (isLoopbackIp(host)) return true;
  const forms = ipForms(host).map((form) => form.toHex());
  return interfaces().some((own) => ipForms(own).some((form) => forms.includes(form.toHex())));
}
