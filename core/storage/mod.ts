/** SQLite files that plugins keep. @module */
export { bytesOf, numberOf, optionalNumber, optionalText, type Row, textOf } from "./columns.ts";
export { DurableDatabase, type DurableDatabaseOptions } from "./durable_database.ts";
export { StorageError } from "./errors.ts";
