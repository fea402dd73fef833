import type { HostPort } from "../../core/address/mod.ts";
import { formatHostPort } from "../../core/address/mod.ts";
import { DnsSetupError } from "./errors.ts";
import type { HostFiles } from "./host_files.ts";

/** Programs that decide where a machine sends its DNS questions. */
export type ResolverName =
  | "systemd-resolved"
  | "NetworkManager with dnsmasq"
  | "openresolv"
  | "resolvconf"
  | "/etc/resolv.conf";

/** What has to be done so that `.pulse` names are asked of pulse. */
export interface Plan {
  readonly resolver: ResolverName;
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Makes the resolver read them; empty when it does so by itself. */
  readonly reload: readonly string[];
}

const mark = "# Written by pulse; remove it with: pulse setup dns --undo\n";
const resolvConf = "/etc/resolv.conf";

/**
 * Finds out who is in charge and what to tell him.
 * @param listen where pulse's DNS server is
 * @throws {DnsSetupError} DNS_SETUP_NO_RESOLVER, DNS_SETUP_PORT
 */
export async function planFor(files: HostFiles, listen: HostPort): Promise<Plan> {
  const link = await files.link(resolvConf);
  const text = await files.text(resolvConf);
  if (link?.includes("systemd/resolve") || /^\s*nameserver\s+127\.0\.0\.53\s*$/m.test(text)) {
    return systemdResolved(listen);
  }
  if (await networkManagerRunsDnsmasq(files)) return dnsmasq(listen);
  const openresolv = await files.read("/etc/resolvconf.conf");
  if (openresolv !== null) {
    needPort53("openresolv", listen, text);
    const before = withNewline(new TextDecoder().decode(openresolv.content));
    const content = `${before}${mark}name_servers=${listen.host}\n`;
    return {
      resolver: "openresolv",
      files: [{ path: "/etc/resolvconf.conf", content }],
      reload: ["resolvconf", "-u"],
    };
  }
  if (link?.includes("resolvconf")) {
    needPort53("resolvconf", listen, text);
    const path = "/etc/resolvconf/resolv.conf.d/head";
    const content = `${withNewline(await files.text(path))}${mark}nameserver ${listen.host}\n`;
    return { resolver: "resolvconf", files: [{ path, content }], reload: ["resolvconf", "-u"] };
  }
  return plain(listen, text, link);
}

function systemdResolved(listen: HostPort): Plan {
  const address = formatHostPort(listen);
  return {
    resolver: "systemd-resolved",
    files: [
      {
        path: "/etc/systemd/resolved.conf.d/pulse.conf",
        content: `${mark}[Resolve]\nDNS=${address}\nDomains=~pulse\n`,
      },
      // The root zone proves that there is no .pulse; where DNSSEC is on, that must not count.
      { path: "/etc/dnssec-trust-anchors.d/pulse.negative", content: "pulse\n" },
    ],
    reload: ["systemctl", "restart", "systemd-resolved.service"],
  };
}

function dnsmasq({ host, port }: HostPort): Plan {
  return {
    resolver: "NetworkManager with dnsmasq",
    files: [{
      path: "/etc/NetworkManager/dnsmasq.d/pulse.conf",
      content: `${mark}server=/pulse/${host}#${port}\n`,
    }],
    reload: ["nmcli", "general", "reload", "dns-full"],
  };
}

/** glibc asks the next server when one refuses, so that the others stay of use. */
function plain(listen: HostPort, text: string, link: string | null): Plan {
  if (text === "") {
    throw new DnsSetupError(
      "DNS_SETUP_NO_RESOLVER",
      `There is no ${resolvConf} and none of the resolvers pulse knows: set up your own to ask ${
        formatHostPort(listen)
      } about names below .pulse`,
    );
  }
  if (link !== null) {
    throw new DnsSetupError(
      "DNS_SETUP_NO_RESOLVER",
      `${resolvConf} is a link to ${link}, which belongs to a program that pulse does not know: tell it to ask ${
        formatHostPort(listen)
      } about names below .pulse`,
      { link },
    );
  }
  needPort53("/etc/resolv.conf", listen, text);
  const lines = text.split("\n");
  const first = lines.findIndex((line) => /^\s*nameserver\s/.test(line));
  lines.splice(first < 0 ? 0 : first, 0, mark.trimEnd(), `nameserver ${listen.host}`);
  return {
    resolver: "/etc/resolv.conf",
    files: [{ path: resolvConf, content: lines.join("\n") }],
    reload: [],
  };
}

async function networkManagerRunsDnsmasq(files: HostFiles): Promise<boolean> {
  const paths = [
    ...await files.list("/usr/lib/NetworkManager/conf.d", ".conf"),
    "/etc/NetworkManager/NetworkManager.conf",
    ...await files.list("/etc/NetworkManager/conf.d", ".conf"),
  ];
  let value = "";
  for (const path of paths) {
    // The last one read wins.
    for (const [, word = ""] of (await files.text(path)).matchAll(/^\s*dns\s*=\s*(\S+)\s*$/gm)) {
      value = word;
    }
  }
  return value === "dnsmasq";
}

/** The format of resolv.conf(5) has no place for a port, and then every question comes to pulse: it needs somebody to ask. */
function needPort53(resolver: ResolverName, listen: HostPort, text: string): void {
  if (listen.port === 53) return;
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)\s*$/gm)].map(([, server = ""]) =>
    server
  )
    .filter((server) => server !== listen.host);
  const upstream = servers.map((server) => ` --dns-upstream ${server}`).join("");
  throw new DnsSetupError(
    "DNS_SETUP_PORT",
    `${resolver} cannot name a port, so pulse has to listen on port 53. Nothing was changed. Run, as root:\n` +
      `  sysctl -w net.ipv4.ip_unprivileged_port_start=53   # unless pulse itself runs as root\n` +
      `  pulse start --dns --dns-listen ${listen.host}:53${upstream}   # and your other flags\n` +
      `  pulse setup dns --listen ${listen.host}:53`,
    { resolver, servers },
  );
}

function withNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
