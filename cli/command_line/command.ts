import type { Settings } from "../../core/config/settings.ts";
import type { ControlCommand } from "./control_command.ts";

/** Every command has these. */
export interface CommonOptions {
  readonly json: boolean;
  /** As written; undefined means `~/.pulse`. */
  readonly dataDir: string | undefined;
}

/** What `pulse` in the foreground and `pulse start` take. */
export interface NodeOptions extends CommonOptions {
  /** What the flags say; without `dataDir`, which is common to all commands. */
  readonly settings: Settings;
  readonly config: string | undefined;
  readonly tokenFile: string | undefined;
}

interface Named<Name extends string> {
  readonly command: Name;
}

export type RunCommand = Named<"run"> & NodeOptions;
export type StartCommand = Named<"start"> & NodeOptions;
export type StopCommand = Named<"stop"> & CommonOptions;
export type StatusCommand = Named<"status"> & CommonOptions;
export type HealthCommand = Named<"health"> & CommonOptions;
export type PermissionsCommand = Named<"permissions"> & CommonOptions;
export type VersionCommand = Named<"version"> & CommonOptions;
export type CertCommand = Named<"cert"> & CommonOptions;

export interface IdCommand extends Named<"id">, CommonOptions {
  /** Print a certificate request instead. */
  readonly csr: boolean;
  readonly network: string | undefined;
}

export interface JoinCommand extends Named<"join">, CommonOptions {
  /** Invite code or relay address. */
  readonly target: string;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  readonly network: string | undefined;
  /** Replace the certificate of a node that is a member. */
  readonly again: boolean;
}

export interface InviteCommand extends Named<"invite">, CommonOptions {
  readonly ttl: string | undefined;
  readonly maxUses: number | undefined;
  readonly relays: readonly string[];
  readonly roles: readonly string[];
  readonly tags: readonly string[];
  readonly name: string | undefined;
  readonly ephemeral: string | undefined;
}

export interface ConnectCommand extends Named<"connect">, CommonOptions {
  /** Undefined: the exit that leads to the target. */
  readonly node: string | undefined;
  readonly dest: string;
}

export interface ForwardCommand extends Named<"forward">, CommonOptions {
  /** Undefined: the exit that leads to the target. */
  readonly node: string | undefined;
  readonly dest: string;
  readonly local: string;
}

export interface LogsCommand extends Named<"logs">, CommonOptions {
  readonly follow: boolean;
  readonly lines: number;
}

export interface EventsCommand extends Named<"events">, CommonOptions {
  readonly type: string | undefined;
  readonly node: string | undefined;
  /** A duration or a time, as written. */
  readonly since: string | undefined;
  readonly lines: number;
  readonly follow: boolean;
}

export interface StatsCommand extends Named<"stats">, CommonOptions {
  /** Whose statistics; undefined for this node's. */
  readonly node: string | undefined;
  readonly peer: string | undefined;
  /** A duration or a time, as written. */
  readonly since: string;
  readonly resolution: "10s" | "5m" | "1h" | undefined;
}

export interface AuditCommand extends Named<"audit">, CommonOptions {
  /** Entries from the end; 0 for none. */
  readonly lines: number;
  /** Check the whole chain of hashes. */
  readonly verify: boolean;
}

export interface TokenCreateCommand extends Named<"token create">, CommonOptions {
  readonly ttl: string | undefined;
  readonly maxUses: number | undefined;
  readonly roles: readonly string[];
  readonly tags: readonly string[];
  readonly name: string | undefined;
  readonly ephemeral: string | undefined;
}
export type TokenListCommand = Named<"token list"> & CommonOptions;
export interface TokenRevokeCommand extends Named<"token revoke">, CommonOptions {
  /** Id or unique prefix. */
  readonly id: string;
}

export interface CaLogCommand extends Named<"ca log">, CommonOptions {
  readonly lines: number;
  readonly verify: boolean;
}
export type CaNodesCommand = Named<"ca nodes"> & CommonOptions;
export interface CaRevokeCommand extends Named<"ca revoke">, CommonOptions {
  readonly node: string;
  readonly reason: string | undefined;
}
export interface CaRolesCommand extends Named<"ca roles">, CommonOptions {
  readonly node: string;
  readonly roles: readonly string[];
}
export interface CaGrantCommand extends Named<"ca grant">, CommonOptions {
  /** Undefined: nobody. */
  readonly node: string | undefined;
}
export interface CaRollCommand extends Named<"ca roll">, CommonOptions {
  readonly step: "begin" | "status" | "finish";
  /** Finish although nodes in reach have no certificate of the new CA. */
  readonly force: boolean;
}
export interface CaSignCommand extends Named<"ca sign">, CommonOptions {
  readonly csr: string;
  readonly caDir: string | undefined;
  readonly out: string;
  readonly roles: readonly string[];
}

export interface ApiKeyCreateCommand extends Named<"api-key create">, CommonOptions {
  readonly readOnly: boolean;
  readonly name: string | undefined;
}
export type ApiKeyListCommand = Named<"api-key list"> & CommonOptions;
export interface ApiKeyRotateCommand extends Named<"api-key rotate">, CommonOptions {
  readonly id: string;
  /** A duration, or `forever`. */
  readonly overlap: string;
}
export interface ApiKeyRevokeCommand extends Named<"api-key revoke">, CommonOptions {
  readonly id: string;
}

export interface DoctorCommand extends Named<"doctor">, CommonOptions {
  /** Undo what is found. */
  readonly fix: boolean;
}

export interface SetupDnsCommand extends Named<"setup dns">, CommonOptions {
  readonly undo: boolean;
  readonly dryRun: boolean;
  /** Where pulse's DNS server listens. */
  readonly listen: string | undefined;
  /** Root of the machine to set up, when it is not this one. */
  readonly root: string | undefined;
}

/** A command line, understood. */
export type Command =
  | RunCommand
  | StartCommand
  | StopCommand
  | StatusCommand
  | HealthCommand
  | PermissionsCommand
  | VersionCommand
  | IdCommand
  | CertCommand
  | JoinCommand
  | InviteCommand
  | ConnectCommand
  | ForwardCommand
  | LogsCommand
  | EventsCommand
  | StatsCommand
  | AuditCommand
  | TokenCreateCommand
  | TokenListCommand
  | TokenRevokeCommand
  | CaLogCommand
  | CaNodesCommand
  | CaRevokeCommand
  | CaRolesCommand
  | CaGrantCommand
  | CaRollCommand
  | CaSignCommand
  | ControlCommand
  | ApiKeyCreateCommand
  | ApiKeyListCommand
  | ApiKeyRotateCommand
  | ApiKeyRevokeCommand
  | DoctorCommand
  | SetupDnsCommand;
