/** Linux from below: system calls, network interfaces, routes, the packet filter, ciphers. The only place that opens libraries. @module */
export { missingForPackets, type NativeFacts, nativeFacts } from "./capabilities.ts";
export { Arena } from "./libc/arena.ts";
export { Errno, errnoName } from "./libc/errno.ts";
export { FfiError, type FfiErrorCode } from "./libc/errors.ts";
export { EventFd } from "./libc/event_fd.ts";
export type { Family } from "./libc/family.ts";
export { IoVector } from "./libc/io_vector.ts";
export { Libc, WOULD_BLOCK } from "./libc/libc.ts";
export { Poller, Ready } from "./libc/poller.ts";
export { readSysctl, writeSysctl } from "./libc/sysctl.ts";
export { Aead, aeadKeyBytes, type AeadName, NONCE, TAG } from "./libcrypto/aead.ts";
export { Libcrypto } from "./libcrypto/libcrypto.ts";
export {
  addAddress,
  type AddAddressOptions,
  deleteAddress,
  type InterfaceAddress,
  listAddresses,
} from "./netlink/interface_addresses.ts";
export { changeLink, findLink, type Link, type LinkChange, listLinks } from "./netlink/links.ts";
export { type DefaultRoute, findDefaultRoute, lookupRoute } from "./netlink/lookup_route.ts";
export type { NetlinkMessage } from "./netlink/message.ts";
export { NetlinkSocket, type Purpose, type Request } from "./netlink/netlink_socket.ts";
export {
  addRoute,
  deleteRoute,
  listRoutes,
  MAIN_TABLE,
  replaceRoute,
  type Route,
  type RouteFilter,
  type RouteSpec,
  type RouteType,
} from "./netlink/routes.ts";
export { addRule, deleteRule, listRules, type Rule, type RuleAction } from "./netlink/rules.ts";
export {
  counter,
  type Expression,
  jump,
  masquerade,
  type Verdict,
  verdict,
} from "./nftables/expressions.ts";
export {
  connectionIs,
  type ConnectionState,
  destinationIn,
  destinationPortIs,
  inputIs,
  isFamily,
  markIs,
  outputIs,
  setMark,
  sourceIn,
  type TransportProtocol,
} from "./nftables/matches.ts";
export { type AddTableOptions, type BaseChain, type Hook, NftBatch } from "./nftables/nft_batch.ts";
export type { NftFamily, TableId } from "./nftables/nft_header.ts";
export { listChains, listNftRules, type NftChain, type NftRule } from "./nftables/nft_rules.ts";
export { listTables } from "./nftables/nft_tables.ts";
export { Offload, Tun, type TunOptions, TunQueue, VNET_HEADER } from "./tun/tun.ts";
export { ReceiveBatch } from "./udp/receive_batch.ts";
export { MOST_BYTES, MOST_SEGMENTS, SendBatch } from "./udp/send_batch.ts";
export { type SharedPort, type SharedPortOptions, sharePort } from "./udp/shared_port.ts";
export { AddressSlot, LocalAddress, type SocketAddress } from "./udp/socket_address.ts";
export type { Steering } from "./udp/steering_program.ts";
export { type PathMtu, type UdpOptions, UdpSocket } from "./udp/udp_socket.ts";
