/** Structured logs: JSON lines to a rotating file, readable lines on a terminal. @module */
export { escapeText } from "./escape_text.ts";
export { defaultRotateBytes, FileSink, type FileSinkOptions } from "./file_sink.ts";
export { formatJson } from "./format_json.ts";
export { formatPretty } from "./format_pretty.ts";
export { logLevelRank, logLevels, parseLogLevel } from "./log_level.ts";
export type { LogFields, LogRecord, LogSink } from "./log_record.ts";
export { createLogger, type Logger, type LoggerOptions } from "./logger.ts";
export { type NodeLoggerOptions, openNodeLogger } from "./node_logger.ts";
export { StreamSink, type StreamSinkOptions, type SyncWriter } from "./stream_sink.ts";
export type { Clock } from "../clock/clock.ts";
export type { Json, LogFn, LogLevel } from "../plugin/types.ts";
