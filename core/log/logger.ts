import type { Clock } from "../clock/clock.ts";
import type { LogFn, LogLevel } from "../plugin/types.ts";
import { logLevelRank } from "./log_level.ts";
import type { LogSink } from "./log_record.ts";

/** A `LogFn` that can name who speaks. */
export interface Logger extends LogFn {
  /** The same sinks and level under `<component>.<name>`. */
  child(name: string): Logger;
  /** Changes the level of this logger and of all its relatives. */
  setLevel(level: LogLevel): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly sinks: readonly LogSink[];
  readonly clock: Clock;
}

/** A logger at the root: component "". Records below the level cost one comparison. */
export function createLogger(options: LoggerOptions): Logger {
  const state = { rank: logLevelRank(options.level) };
  const make = (component: string): Logger => {
    const log: LogFn = (level, message, fields = {}) => {
      if (logLevelRank(level) < state.rank) return;
      const record = { time: options.clock.wall(), level, component, message, fields };
      for (const sink of options.sinks) sink.write(record);
    };
    return Object.assign(log, {
      child: (name: string) => make(component === "" ? name : `${component}.${name}`),
      setLevel: (level: LogLevel) => {
        state.rank = logLevelRank(level);
      },
    });
  };
  return make("");
}
