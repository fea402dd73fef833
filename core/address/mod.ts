/** Addresses as people write them. @module */
export {
  addressBehind,
  type Cidr,
  cidrKey,
  cidrText,
  contains,
  containsRange,
  maskBytes,
  parseCidr,
} from "./cidr.ts";
export { formatHostPort, type HostPort, isWildcard, parseHostPort } from "./host_port.ts";
export { ipForms, isForbiddenIp, isLoopbackIp } from "./ip_class.ts";
export { ipToText, parseIpv4, parseIpv6 } from "./ip_text.ts";
