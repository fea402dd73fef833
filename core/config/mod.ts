/** The daemon's configuration: defaults, a TOML file, flags. @module */
export {
  type Advertised,
  defaultPort,
  parseAdvertise,
  parseDialable,
  parseListen,
} from "./addresses.ts";
export { closest } from "./closest.ts";
export { parseConfigFile, readConfigFile } from "./config_file.ts";
export { type DaemonConfig, maxConfigLine, parseDaemonConfig } from "./daemon_config.ts";
export type { DnsSettings } from "./dns_settings.ts";
export { ConfigError } from "./errors.ts";
export type { ExitSettings } from "./exit_settings.ts";
export {
  allowsLocalPort,
  defaultLocalPorts,
  type LocalPorts,
  parseLocalPorts,
} from "./local_ports.ts";
export { type ConfigSources, resolveConfig, resolveDataDir } from "./resolve_config.ts";
export type { ServiceSetting } from "./services.ts";
export { settingKeys, type SettingName, type Settings } from "./settings.ts";
export type { TunSettings } from "./tun_settings.ts";
export type { LogLevel } from "../plugin/types.ts";
export { type ErrorFields, PulseError } from "../errors/mod.ts";
