import { pluginComplianceSuite } from "./compliance_suite.ts";

pluginComplianceSuite("worker");
pluginComplianceSuite("inline");
