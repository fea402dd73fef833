/**
 * What system tests are made of: requirements, namespaces, daemons, cables, waiting.
 * @module
 */
export { Cable, type CableBytes, type CableTarget } from "./cable.ts";
export { type CliCall, commandLine, fromSource, runCli } from "./cli.ts";
export { type CommandOptions, type CommandResult, run, runOk } from "./command.ts";
export { Daemon, startDaemon, type StartDaemonOptions } from "./daemon.ts";
export { ImpairedLine, type Impairments, type LineCounts, type LineEnds } from "./impaired_line.ts";
export { ImpairedWire, type ImpairedWireOptions } from "./impaired_wire.ts";
export { type LabLink, type Plug } from "./lab_link.ts";
export { Lag } from "./lag.ts";
export { openFiles, residentBytes } from "./memory.ts";
export { Lab, type SubnetOptions } from "./namespaces.ts";
export { PacketNode, type PacketNodeOptions } from "./packet_node.ts";
export { allEnded, descendants, isRunning, kill9 } from "./processes.ts";
export { labTest, type Needs, requires, type Verdict } from "./requires.ts";
export { type ApiAnswer, UnixHttp } from "./unix_http.ts";
export { eventually, type EventuallyOptions, type Truthy } from "./wait.ts";
