import { sessionComplianceSuite } from "../compliance/mod.ts";
import { webSocketPair } from "./testing.ts";

sessionComplianceSuite("WebSocket", webSocketPair);
