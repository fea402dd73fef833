/** The last step of every link handshake, the same over every transport. @module */
export { exchangeLinkHello, type LinkHelloOptions } from "./link_hello.ts";
export { linkProtocolVersion, maxLinkMessageBytes } from "./link_message.ts";
