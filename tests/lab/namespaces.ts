import { type CommandOptions, type CommandResult, run, runOk } from "./command.ts";
import { LabLink, type Plug } from "./lab_link.ts";
import { allEnded, isRunning, kill9 } from "./processes.ts";
import { dropUdpFrom, lossTable } from "./nft_tables.ts";

/** Short enough for `to-<name>` to be an interface name (15 characters). */
const NAME = /^[a-z][a-z0-9-]{0,10}$/;

/** How a link or bridge is numbered. */
export interface SubnetOptions {
  /**
   * IPv4 network as a /24, `10.9.0.0/24`; hosts are numbered from 1 in the order they are named. IPv6 is
   * `fd00:<2nd>:<3rd byte>::/64` with the same host numbers.
   * @default the next free of 10.77.0.0/24, 10.77.1.0/24, ...
   */
  readonly subnet?: string;
}

/**
 * A network of namespaces for one test: nodes, links and bridges, faults on demand. Needs root, `ip` and `nft`; see
 * `labTest(name, { namespaces: true }, ...)`.
 *
 * ```ts
 * await using net = await Lab.create();
 * await net.node("a");
 * await net.node("b");
 * const cable = await net.link("a", "b");
 * await net.exec("a", "ping", "-c1", cable.ipv4("b"));
 * ```
 */
export class Lab implements AsyncDisposable {
  readonly #id: string;
  readonly #nodes = new Map<string, string>();
  readonly #links: LabLink[] = [];
  readonly #subnets = new Set<string>();
  readonly #children: Deno.ChildProcess[] = [];

  private constructor(id: string) {
    this.#id = id;
  }

  /**
   * Also removes what test processes that were killed have left behind.
   *
   * @param prefix begins the names of the namespaces; leftovers are told by it
   */
  static async create(prefix = "pulselab"): Promise<Lab> {
    await removeStale(prefix);
    const random = crypto.getRandomValues(new Uint8Array(4)).toHex();
    return new Lab(`${prefix}-${Deno.pid}-${random}`);
  }

  /** Makes a node, a namespace with loopback up, and gives the namespace's name, for `startDaemon({ netns })`. */
  async node(name: string): Promise<string> {
    if (!NAME.test(name)) throw new Error(`${name} is not a node name: ${NAME}`);
    if (this.#nodes.has(name)) throw new Error(`There is a node ${name} already`);
    const namespace = `${this.#id}-${name}`;
    await runOk(["ip", "netns", "add", namespace]);
    this.#nodes.set(name, namespace);
    await this.exec(
      name,
      "sysctl",
      "-qw",
      // Addresses are usable at once, and IPv6 ones survive a cut.
      "net.ipv6.conf.all.accept_dad=0",
      "net.ipv6.conf.default.accept_dad=0",
      "net.ipv6.conf.all.keep_addr_on_down=1",
      "net.ipv6.conf.default.keep_addr_on_down=1",
    );
    await this.exec(name, "ip", "link", "set", "lo", "up");
    return namespace;
  }

  /** The name of a node's namespace. @throws {Error} there is no such node */
  namespace(name: string): string {
    const namespace = this.#nodes.get(name);
    if (namespace === undefined) throw new Error(`There is no node ${name}`);
    return namespace;
  }

  /** Connects two nodes by a cable of its own (veth); interfaces are named `to-b` in a and `to-a` in b. */
  async link(a: string, b: string, options: SubnetOptions = {}): Promise<LabLink> {
    const again = this.#links.filter((link) => link.connects(a, b)).length;
    const suffix = again === 0 ? "" : `${again + 1}`;
    const [ofA, ofB] = [`to-${b}${suffix}`, `to-${a}${suffix}`];
    await this.#veth(this.namespace(a), ofA, this.namespace(b), ofB);
    return await this.#number([[a, ofA], [b, ofB]], options);
  }

  /** Connects several nodes by a switch; their interfaces are named `to-<name>`. The switch is a namespace of its own. */
  async bridge(
    name: string,
    nodes: readonly string[],
    options: SubnetOptions = {},
  ): Promise<LabLink> {
    const bridge = await this.node(name);
    await this.exec(name, "ip", "link", "add", "switch", "type", "bridge");
    await this.exec(name, "ip", "link", "set", "switch", "up");
    for (const node of nodes) {
      await this.#veth(this.namespace(node), `to-${name}`, bridge, `to-${node}`);
      await this.exec(name, "ip", "link", "set", `to-${node}`, "master", "switch", "up");
    }
    return await this.#number(nodes.map((node) => [node, `to-${name}`] as const), options);
  }

  /** Runs a command in a node to its end, for its output. @throws {Error} it fails; with what it wrote */
  async exec(node: string, ...argv: string[]): Promise<string> {
    return await runOk(this.#inside(node, argv));
  }

  /** Like `exec()`, with options and without an opinion on the exit code. */
  async run(node: string, argv: string[], options?: CommandOptions): Promise<CommandResult> {
    return await run(this.#inside(node, argv), options);
  }

  /** Starts a command in a node. It is killed with the lab; its pipes are the caller's to read or cancel. */
  spawn(
    node: string,
    argv: readonly string[],
    options: Omit<Deno.CommandOptions, "args"> = {},
  ): Deno.ChildProcess {
    const [program = "", ...args] = this.#inside(node, argv);
    const child = new Deno.Command(program, { stdin: "null", ...options, args }).spawn();
    this.#children.push(child);
    return child;
  }

  /** Loads nft rules in a node: NAT, firewalls. They go with the namespace. */
  async nft(node: string, ruleset: string): Promise<void> {
    await runOk(this.#inside(node, ["nft", "-f", "-"]), { stdin: ruleset });
  }

  /** UDP between the two vanishes on arrival, both ways, on all addresses the lab gave them. TCP and ping pass. */
  async blockUdp(a: string, b: string): Promise<void> {
    for (const [here, there] of [[a, b], [b, a]] as const) {
      await this.nft(here, dropUdpFrom(there, this.#addresses(there)));
    }
  }

  /** Undoes `blockUdp()`. */
  async unblockUdp(a: string, b: string): Promise<void> {
    for (const [here, there] of [[a, b], [b, a]] as const) {
      await this.exec(here, "nft", "delete", "table", "inet", lossTable(there));
    }
  }

  /** Kills what runs in the namespaces and removes them, with all that is in them. */
  async [Symbol.asyncDispose](): Promise<void> {
    // By hand, too: one that has only just been started may not have entered its namespace yet.
    for (const child of this.#children.splice(0)) {
      if (isRunning(child.pid)) kill9(child.pid);
      await child.status;
    }
    for (const [name, namespace] of this.#nodes) {
      await removeNamespace(namespace);
      this.#nodes.delete(name);
    }
  }

  #inside(node: string, argv: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.namespace(node), ...argv];
  }

  async #veth(a: string, ofA: string, b: string, ofB: string): Promise<void> {
    await runOk(
      ["ip", "link", "add", ofA, "netns", a, "type", "veth", "peer", "name", ofB, "netns", b],
    );
  }

  async #number(
    ends: readonly (readonly [node: string, device: string])[],
    { subnet = this.#freeSubnet() }: SubnetOptions,
  ): Promise<LabLink> {
    const [, first, second, third] = /^(\d+)\.(\d+)\.(\d+)\.0\/24$/.exec(subnet) ?? [];
    if (third === undefined) throw new Error(`${subnet} is not a network like 10.9.0.0/24`);
    this.#subnets.add(subnet);
    const plugs: Plug[] = [];
    for (const [i, [node, device]] of ends.entries()) {
      const ipv4 = `${first}.${second}.${third}.${i + 1}`;
      const ipv6 = `fd00:${second}:${third}::${(i + 1).toString(16)}`;
      await this.exec(node, "ip", "address", "add", `${ipv4}/24`, "dev", device);
      await this.exec(node, "ip", "address", "add", `${ipv6}/64`, "dev", device, "nodad");
      await this.exec(node, "ip", "link", "set", device, "up");
      plugs.push({ node, device, ipv4, ipv6 });
    }
    const link = new LabLink(plugs, this);
    this.#links.push(link);
    return link;
  }

  #freeSubnet(): string {
    for (let n = 0; n < 256; n++) {
      if (!this.#subnets.has(`10.77.${n}.0/24`)) return `10.77.${n}.0/24`;
    }
    throw new Error("All 256 networks of the lab are in use");
  }

  #addresses(node: string): readonly Plug[] {
    return this.#links.flatMap(({ plugs }) => plugs.filter((plug) => plug.node === node));
  }
}

/** Namespaces whose test process, named in them by its pid, does not run any more. */
async function removeStale(prefix: string): Promise<void> {
  for (const line of (await runOk(["ip", "netns", "list"])).split("\n")) {
    const [namespace = ""] = line.split(" ");
    const pid = new RegExp(`^${prefix}-(\\d+)-`).exec(namespace)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await removeNamespace(namespace);
  }
}

async function removeNamespace(namespace: string): Promise<void> {
  const listed = await run(["ip", "netns", "pids", namespace]);
  const pids = listed.stdout.split("\n").filter((line) => line !== "").map(Number);
  for (const pid of pids) kill9(pid);
  await allEnded(pids);
  const { code, stderr } = await run(["ip", "netns", "delete", namespace]);
  // Two test processes may tidy up after the same dead one.
  if (code !== 0 && !stderr.includes("No such file")) throw new Error(stderr);
}
