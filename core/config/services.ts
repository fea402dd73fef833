import { ConfigError } from "./errors.ts";

/** Something a node offers, as the mesh is told of it. */
export interface ServiceSetting {
  readonly name: string;
  readonly port: number;
}

/** As many as a gossip record holds. */
const maxServices = 32;

/** `name=port` each. The name becomes a label of DNS, with `_` before it for SRV, so it is one character shorter than a label. */
export function parseServices(texts: readonly string[]): ServiceSetting[] {
  if (texts.length > maxServices) throw new ConfigError(`at most ${maxServices} services`);
  const services = texts.map((text) => {
    const [, name = "", digits] =
      /^([a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?)=(\d{1,5})$/i.exec(text) ??
        [];
    const port = Number(digits ?? 0);
    if (port < 1 || port > 65_535) {
      throw new ConfigError(
        `"${text.slice(0, 80)}" is not a service; write name=port, such as http=80`,
      );
    }
    return { name: name.toLowerCase(), port };
  });
  const names = new Set<string>();
  for (const { name } of services) {
    if (names.has(name)) throw new ConfigError(`the service ${name} is named twice`);
    names.add(name);
  }
  return services;
}
