import {
  addRoute,
  addRule,
  deleteRoute,
  deleteRule,
  Errno,
  FfiError,
  type Libc,
  listLinks,
  listNftRules,
  listRoutes,
  listRules,
  listTables,
  NetlinkSocket,
  NftBatch,
  readSysctl,
  type Route,
  type RouteSpec,
  type Rule,
  type TableId,
  writeSysctl,
} from "../../../ffi/mod.ts";
import { exitTable, exitTableBatch, passBatch, passComment } from "./exit_table.ts";
import type { ChangeableHost, HostChange, HostEntry } from "./types.ts";

/** ESRCH: no such route. */
const noSuchRoute = 3;
const allForwarding6 = "net/ipv6/conf/all/forwarding";
const forwarding6 = (name: string) => `net/ipv6/conf/${name}/forwarding`;

/** This machine, by netlink and kernel settings. All calls are of the network namespace it was opened in. */
export class LinuxHost implements ChangeableHost, Disposable {
  readonly boot: string;
  readonly #libc: Libc;
  readonly #route: NetlinkSocket;
  readonly #filter: NetlinkSocket;

  /** @throws {FfiError} FFI_SYSCALL */
  constructor(libc: Libc) {
    using stack = new DisposableStack();
    this.#libc = libc;
    this.#route = stack.use(new NetlinkSocket(libc, "route"));
    this.#filter = stack.use(new NetlinkSocket(libc, "netfilter"));
    this.boot = readSysctl(libc, "kernel/random/boot_id") ?? "";
    stack.move();
  }

  /** For looking at links and routes. */
  get netlink(): NetlinkSocket {
    return this.#route;
  }

  /** For looking at the packet filter. */
  get filter(): NetlinkSocket {
    return this.#filter;
  }

  record(change: HostChange): HostEntry | undefined {
    if (change.kind === "setting") {
      const before = readSysctl(this.#libc, change.name);
      return before === undefined ? undefined : { ...change, before };
    }
    if (change.kind !== "forwarding6") return change;
    const before = readSysctl(this.#libc, allForwarding6);
    if (before === undefined) return undefined;
    const names = ["default", ...listLinks(this.#route).map(({ name }) => name)];
    const interfaces = names.map((name) => [name, readSysctl(this.#libc, forwarding6(name))]);
    return {
      kind: "forwarding6",
      before,
      interfaces: Object.fromEntries(interfaces.filter(([, value]) => value !== undefined)),
    };
  }

  apply(entry: HostEntry): void {
    switch (entry.kind) {
      case "setting":
        return this.#set(entry.name, entry.value);
      case "forwarding6":
        return this.#set(allForwarding6, "1");
      case "rule":
        return ignoring([Errno.EEXIST], () => addRule(this.#route, entry.rule));
      case "route":
        return ignoring([Errno.EEXIST], () => addRoute(this.#route, entry.route));
      case "filter":
        return exitTableBatch(entry.filter).commit(this.#filter);
      case "pass":
        // None, or both: they are made at once.
        if (this.#passes(entry.table, entry.chain).length > 0) return;
        return passBatch(entry.table, entry.chain, entry.device).commit(this.#filter);
    }
  }

  undo(entry: HostEntry): void {
    switch (entry.kind) {
      case "setting":
        // Whoever has changed it since has had a reason.
        if (readSysctl(this.#libc, entry.name) !== entry.value) return;
        return this.#set(entry.name, entry.before);
      case "forwarding6":
        return this.#undoForwarding6(entry);
      case "rule":
        return ignoring([Errno.ENOENT], () => deleteRule(this.#route, entry.rule));
      case "route":
        // With its interface a route goes by itself.
        return ignoring(
          [noSuchRoute, Errno.ENOENT, Errno.ENODEV],
          () => deleteRoute(this.#route, entry.route),
        );
      case "filter":
        if (this.#hasTable()) new NftBatch().deleteTable(exitTable).commit(this.#filter);
        return;
      case "pass": {
        const batch = new NftBatch();
        for (const { handle } of this.#passes(entry.table, entry.chain)) {
          batch.deleteRule(entry.table, entry.chain, handle);
        }
        return batch.commit(this.#filter);
      }
    }
  }

  missing(entries: readonly HostEntry[]): readonly HostEntry[] {
    if (entries.length === 0) return [];
    const rules = listRules(this.#route);
    const tables = new Map<number, readonly Route[]>();
    const routesOf = (table: number) => {
      const routes = tables.get(table) ?? listRoutes(this.#route, { table });
      tables.set(table, routes);
      return routes;
    };
    return entries.filter((entry) => {
      if (entry.kind === "rule") return !rules.some((rule) => isRule(rule, entry.rule));
      if (entry.kind === "route") {
        return !routesOf(entry.route.table ?? 0).some((route) => isRoute(route, entry.route));
      }
      if (entry.kind === "filter") return !this.#hasTable();
      if (entry.kind === "pass") return this.#passes(entry.table, entry.chain).length === 0;
      // Settings belong to everybody: they are made once.
      return false;
    });
  }

  #undoForwarding6({ before, interfaces }: HostEntry & { kind: "forwarding6" }): void {
    if (before === "1" || readSysctl(this.#libc, allForwarding6) !== "1") return;
    // It sets those of all interfaces, too.
    this.#set(allForwarding6, before);
    for (const [name, value] of Object.entries(interfaces)) {
      if (value !== before) this.#set(forwarding6(name), value);
    }
  }

  /** An interface that is gone has no settings. */
  #set(name: string, value: string): void {
    const now = readSysctl(this.#libc, name);
    if (now === undefined || now === value) return;
    writeSysctl(this.#libc, name, value);
  }

  #hasTable(): boolean {
    return listTables(this.#filter).some(({ family, name }) =>
      family === exitTable.family && name === exitTable.name
    );
  }

  #passes(table: TableId, chain: string) {
    return listNftRules(this.#filter, table, chain).filter(({ comment }) =>
      comment === passComment
    );
  }

  [Symbol.dispose](): void {
    this.#filter[Symbol.dispose]();
    this.#route[Symbol.dispose]();
  }
}

function ignoring(errnos: readonly number[], act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof FfiError) || !errnos.includes(error.errno)) throw error;
  }
}

/** Of what was asked for, everything is so. */
function isRule(rule: Rule, wanted: Rule): boolean {
  return Object.entries(wanted).every(([key, value]) => rule[key as keyof Rule] === value);
}

function isRoute(route: Route, wanted: RouteSpec): boolean {
  return Object.entries(wanted).every(([key, value]) => route[key as keyof Route] === value);
}
