/** Addresses as people write them. @module */
export { formatHostPort, type HostPort, isWildcard, parseHostPort } from "./host_port.ts";
export { ipForms, isForbiddenIp, isLoopbackIp } from "./ip_class.ts";
