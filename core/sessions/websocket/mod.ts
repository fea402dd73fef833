/** Sessions and joins over WebSocket in TLS 1.3. @module */
export { openJoinConversation } from "./join_client.ts";
export {
  listenWebSocket,
  type WebSocketListener,
  type WebSocketListenerOptions,
  type WebSocketListenerStats,
} from "./websocket_listener.ts";
export { WebSocketTransport, type WebSocketTransportOptions } from "./websocket_transport.ts";
