import { exitTable } from "./exit_table.ts";
import type { HostEntry } from "./types.ts";

/** A change in words. */
export function describeEntry(entry: HostEntry): string {
  switch (entry.kind) {
    case "setting":
      return `the setting ${entry.name} is ${entry.value}, it was ${entry.before}`;
    case "forwarding6":
      return `IPv6 is forwarded, the setting was ${entry.before}`;
    case "rule": {
      const { family, priority } = entry.rule;
      return `the ${family === "ipv4" ? "IPv4" : "IPv6"} routing rule ${priority}`;
    }
    case "route": {
      const { destination, table, type } = entry.route;
      return `the ${type === undefined ? "" : `${type} `}route ${destination} of table ${table}`;
    }
    case "filter":
      return `the nftables table ${exitTable.family} ${exitTable.name}`;
    case "pass":
      return `two rules in the chain ${entry.chain} of the nftables table ${entry.table.family} ${entry.table.name}`;
  }
}
