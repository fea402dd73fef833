import { ConfigError } from "./errors.ts";
import { settingKeys, type SettingName, type Settings } from "./settings.ts";

/**
 * Settings that contradict each other.
 * @throws {ConfigError} names both and says which one to drop
 */
export function checkCombination(settings: Settings, origin: (name: SettingName) => string): void {
  const fail = (name: SettingName, why: string): never => {
    throw new ConfigError(`${origin(name)}: ${why}`, {
      setting: settingKeys[name],
      origin: origin(name),
    });
  };
  if (settings.relayOnly) {
    if (settings.ca) {
      fail("ca", "a relay-only node only forwards and holds no CA key; run the CA as another node");
    }
    if (settings.scribe) {
      fail("scribe", "a relay-only node only forwards; run the scribe as another node");
    }
    if (settings.socks) {
      fail("socks", "a relay-only node opens no doors of its own; drop --socks or --relay-only");
    }
    if (settings.dns) {
      fail("dns", "a relay-only node opens no doors of its own; drop --dns or --relay-only");
    }
    if (settings.tun) {
      fail("tun", "a relay-only node may not touch the system; drop --tun or --relay-only");
    }
    if (settings.services !== undefined && settings.services.length > 0) {
      fail("services", "a relay-only node serves no targets; drop --service or --relay-only");
    }
    if (settings.tcp !== undefined) {
      fail("tcp", "a relay-only node opens no doors of its own; drop --tcp or --relay-only");
    }
    if (settings.apiListen !== undefined) {
      fail("apiListen", "a relay-only node opens no doors of its own; drop it or --relay-only");
    }
    if (settings.allowLocal !== undefined && settings.allowLocal !== "none") {
      fail("allowLocal", "a relay-only node serves no targets; drop --allow-local or --relay-only");
    }
  }
  if (settings.ca && settings.join !== undefined) {
    fail("join", "a CA certifies itself and joins nobody; drop --join or --ca");
  }
  if (!settings.ca && settings.caToken !== undefined) {
    fail("caToken", "only a CA has a master token; to join with a token use --token");
  }
  if (!settings.ca && settings.caDays !== undefined) {
    fail("caDays", "the CA decides how long certificates last; set this on the node with --ca");
  }
  if (!settings.ca && settings.meshCidr !== undefined) {
    fail("meshCidr", "the CA assigns mesh addresses; set this on the node that runs with --ca");
  }
  for (const name of ["socksListen", "socksUsers", "socksDirect"] as const) {
    if (!settings.socks && settings[name] !== undefined) fail(name, "SOCKS is off; add --socks");
  }
  if (settings.apiListen === undefined && !settings.scribe && settings.apiHosts !== undefined) {
    fail("apiHosts", "the API does not listen on the network; add --api-listen");
  }
  for (const name of ["dnsListen", "dnsUpstream", "dnsAllow"] as const) {
    if (!settings.dns && settings[name] !== undefined) fail(name, "DNS is off; add --dns");
  }
  for (const name of ["tunName", "tunQueues", "tunRekeySeconds", "fec"] as const) {
    if (!settings.tun && settings[name] !== undefined) {
      fail(name, "there is no packet tunnel; add --tun");
    }
  }
  if (settings.quic === false && settings.websocket === false) {
    fail("websocket", "no transport is left; drop --no-quic or --no-websocket");
  }
}
