/** Commands of the scribe to single nodes: what they say, and when a node obeys. @module */
export { CommandError, type CommandErrorCode } from "./errors.ts";
export { clockToleranceMs, CommandGuard, type CommandSender, maxRemembered } from "./guard.ts";
export {
  type CommandAnswer,
  type CommandMessage,
  commandProtocol,
  maxAnswerBytes,
  maxCommandBytes,
  parseCommand,
  parseCommandAnswer,
  type RemoteCommand,
} from "./message.ts";
