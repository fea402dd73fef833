import { sessionComplianceSuite } from "../compliance/mod.ts";
import { sessionPair } from "./testing.ts";

sessionComplianceSuite("QUIC session", sessionPair);
