import { errorText } from "../../core/errors/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import { listAddresses, listChains, listLinks, listRoutes, MAIN_TABLE } from "../../ffi/mod.ts";
import { exitTable } from "./host_changes/exit_table.ts";
import type { LinuxHost } from "./host_changes/linux_host.ts";
import { parseNameservers, resolverFiles } from "./plan/nameservers.ts";
import type { HostFacts } from "./plan/types.ts";

/** What there is on this machine, as far as exits go. @param interfaceName the mesh's @throws {FfiError} */
export function lookAtHost(host: LinuxHost, interfaceName: string, log: LogFn): HostFacts {
  const { netlink, filter } = host;
  const links = listLinks(netlink);
  const device = links.find(({ name, up }) => name === interfaceName && up);
  const addresses = listAddresses(netlink).filter(({ index, address }) =>
    index !== device?.index && !links.find((link) => link.index === index)?.loopback &&
    !address.startsWith("fe80:")
  );
  return {
    device: device && { name: device.name, index: device.index },
    links,
    routes: listRoutes(netlink, { table: MAIN_TABLE }),
    addresses: addresses.map(({ address }) => address),
    chains: listChains(filter).filter(({ table }) => table.name !== exitTable.name),
    nameservers: nameservers(log),
  };
}

function nameservers(log: LogFn): readonly string[] {
  return resolverFiles.flatMap((path) => {
    try {
      return parseNameservers(Deno.readTextFileSync(path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        log("debug", "name servers cannot be read", { path, error: errorText(error) });
      }
      return [];
    }
  });
}
