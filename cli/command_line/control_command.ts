import type { CommonOptions } from "./command.ts";

/** Commands about what the network is told: names, tags, rules, records. They are for the scribe. */

interface Named<Name extends string> extends CommonOptions {
  readonly command: Name;
}

/** Refused when a kept assertion breaks, unless forced. */
interface Forced {
  readonly force: boolean;
}

export interface NameCommand extends Named<"name">, Forced {
  readonly node: string;
  /** `none` takes the name away. */
  readonly name: string;
}
export interface TagCommand extends Named<"tag" | "untag">, Forced {
  readonly node: string;
  readonly tag: string;
}
export interface MeshIpCommand extends Named<"mesh-ip"> {
  readonly node: string;
  /** `none`: the one of its certificate. */
  readonly address: string;
}
export interface PinCommand extends Named<"pin"> {
  readonly node: string;
  readonly via: string;
}
export interface UnpinCommand extends Named<"unpin"> {
  readonly node: string;
}
export interface RevokeCommand extends Named<"revoke">, Forced {
  readonly node: string;
  readonly reason: string | undefined;
}
export interface UnrevokeCommand extends Named<"unrevoke"> {
  readonly node: string;
}
export type GroupsCommand = Named<"groups">;

/** A rule as it is written on the command line. */
export interface RuleWords {
  readonly from: string;
  readonly to: string;
  readonly ports: string | undefined;
  readonly protocols: readonly string[];
  readonly deny: boolean;
  readonly comment: string | undefined;
  /** Number it is to have; undefined: behind the last. */
  readonly at: number | undefined;
}
export type AclListCommand = Named<"acl list">;
export interface AclAddCommand extends Named<"acl add" | "acl diff add">, RuleWords, Forced {}
export interface AclRemoveCommand extends Named<"acl remove" | "acl diff remove">, Forced {
  readonly index: number;
}
export interface AclMoveCommand extends Named<"acl move" | "acl diff move">, Forced {
  readonly from: number;
  readonly to: number;
}
export type AclTestRunCommand = Named<"acl test run">;
export interface AclTestAddCommand extends Named<"acl test add">, Forced {
  readonly from: string;
  /** `node:port`, or a node for ICMP. */
  readonly target: string;
  readonly protocol: string;
  readonly expect: string;
}
export interface AclTestRemoveCommand extends Named<"acl test remove"> {
  readonly index: number;
}
export interface AclExplainCommand extends Named<"acl explain"> {
  readonly from: string;
  readonly target: string;
  readonly protocol: string;
  readonly address: string | undefined;
}

export type DnsListCommand = Named<"dns list">;
export interface DnsAddCommand extends Named<"dns add"> {
  readonly name: string;
  readonly value: string;
  readonly type: string;
  readonly ttl: number | undefined;
}
export interface DnsRemoveCommand extends Named<"dns remove"> {
  readonly name: string;
  readonly type: string | undefined;
}

export type RouteListCommand = Named<"route list">;
export interface RouteAddCommand extends Named<"route add" | "route approve"> {
  readonly cidr: string;
  readonly via: string;
}
export interface RouteRemoveCommand extends Named<"route remove"> {
  readonly cidr: string;
  readonly via: string | undefined;
}

export type ConfigShowCommand = Named<"config show">;
export interface ConfigHistoryCommand extends Named<"config history"> {
  readonly lines: number;
}
export interface ConfigDiffCommand extends Named<"config diff"> {
  readonly from: string;
  /** Undefined: the one in force. */
  readonly to: string | undefined;
}
export interface ConfigMeshCidrCommand extends Named<"config mesh-cidr"> {
  readonly cidr: string;
}
export interface ConfigRollbackCommand extends Named<"config rollback">, Forced {
  readonly version: string;
}

export type TemplateListCommand = Named<"template list">;
export interface TemplateSetCommand extends Named<"template set"> {
  readonly pattern: string;
  /** `key=value` each. */
  readonly settings: readonly string[];
}
export interface TemplateRemoveCommand extends Named<"template remove"> {
  readonly pattern: string;
}

export interface RestartCommand extends Named<"restart"> {
  readonly node: string;
}
export interface RemoteConfigCommand extends Named<"remote-config"> {
  readonly node: string;
  readonly settings: readonly string[];
}
export interface BulkCommand extends Named<"bulk"> {
  readonly pattern: string;
  readonly action: string;
  readonly settings: readonly string[];
}

export type NodeChangeCommand =
  | NameCommand
  | TagCommand
  | MeshIpCommand
  | PinCommand
  | UnpinCommand
  | RevokeCommand
  | UnrevokeCommand;
export type AclCommand =
  | AclListCommand
  | AclAddCommand
  | AclRemoveCommand
  | AclMoveCommand
  | AclTestRunCommand
  | AclTestAddCommand
  | AclTestRemoveCommand
  | AclExplainCommand;
export type DnsCommand = DnsListCommand | DnsAddCommand | DnsRemoveCommand;
export type RouteCommand = RouteListCommand | RouteAddCommand | RouteRemoveCommand;
export type ConfigCommand =
  | ConfigShowCommand
  | ConfigHistoryCommand
  | ConfigDiffCommand
  | ConfigRollbackCommand
  | ConfigMeshCidrCommand;
export type TemplateCommand = TemplateListCommand | TemplateSetCommand | TemplateRemoveCommand;
export type RemoteCommand = RestartCommand | RemoteConfigCommand | BulkCommand;

/** Everything for the scribe. */
export type ControlCommand =
  | NodeChangeCommand
  | GroupsCommand
  | AclCommand
  | DnsCommand
  | RouteCommand
  | ConfigCommand
  | TemplateCommand
  | RemoteCommand;
