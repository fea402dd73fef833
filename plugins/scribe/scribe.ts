import { whoAsks } from "../../core/control/who_asks.ts";
import { errorCode, errorText } from "../../core/errors/mod.ts";
import type { NodeId } from "../../core/identity/types.ts";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import type { HostServices, Json, LogFn } from "../../core/plugin/types.ts";
import type { Change, ChangeContext } from "./changes/types.ts";
import { entryOf } from "./changes/node_entry.ts";
import { ScribeError } from "./errors.ts";
import type { CurrentConfig, DirectoryNode, MeshServices } from "./mesh_services.ts";
import { brokenAssertions } from "./policy_use.ts";
import type { VersionHistory } from "./version_history.ts";
import { versionText } from "./version_text.ts";

export interface ScribeOptions {
  readonly self: NodeId;
  readonly mesh: MeshServices;
  readonly host: Pick<HostServices, "resolveNode" | "emit">;
  readonly history: VersionHistory;
  readonly log: LogFn;
  readonly now: () => number;
}

/** Who wants a change, on what conditions. */
export interface ChangeRequest {
  /** `local`, `key:<id>@<address>`, or what the scribe does by itself. */
  readonly by: string;
  /** The version the caller looked at: the change is refused when another one is in force. */
  readonly ifMatch?: string | undefined;
  /** Publishes even what breaks a kept assertion. */
  readonly force?: boolean | undefined;
}

/** The event a change is reported as, with what it was about. */
export interface ChangeEvent {
  readonly type: string;
  readonly about: (body: ConfigBody) => Json;
  readonly node?: NodeId;
}

export interface ChangeOutcome {
  readonly version: string;
  readonly changed: boolean;
  readonly note: string;
  readonly body: ConfigBody;
}

/** Without `If-Match` a change that came too late is made again on top of what came first, so many times. */
const maxAttempts = 5;
const maxNote = 200;

/** Makes changes to the network config, one after the other: each is read, applied, signed, kept and reported before the next begins. */
export class Scribe {
  readonly #options: ScribeOptions;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ScribeOptions) {
    this.#options = options;
  }

  /** The node this is. */
  get self(): NodeId {
    return this.#options.self;
  }

  get mesh(): MeshServices {
    return this.#options.mesh;
  }

  get history(): VersionHistory {
    return this.#options.history;
  }

  /**
   * Changes the network config.
   * @throws {ScribeError} CONFIG_CONFLICT, ACL_ASSERTION_BROKEN, or what the change throws
   * @throws {PulseError} NETCONFIG_NOT_SCRIBE, NETCONFIG_INVALID
   */
  change<A>(
    change: Change<A>,
    argument: A,
    event: ChangeEvent,
    request: ChangeRequest,
  ): Promise<ChangeOutcome> {
    return this.#inTurn(async () => {
      for (let attempt = 1;; attempt++) {
        try {
          return await this.#attempt(change, argument, event, request);
        } catch (error) {
          if (errorCode(error) !== "NETCONFIG_CONFLICT") throw error;
          if (request.ifMatch !== undefined) await this.#checkMatch(request.ifMatch, error);
          if (attempt === maxAttempts) throw error;
        }
      }
    });
  }

  /** Keeps a version that came from elsewhere (another node has been the scribe), or that this one had no time to keep. */
  recordForeign(): Promise<void> {
    return this.#inTurn(async () => {
      const { mesh, history } = this.#options;
      const current = await mesh.current();
      const { epoch, version, hash, parent, author, createdAt, note, body } = current;
      // Version 0 stands for a network nobody has written a config for.
      if (version === 0) return;
      const entry = { epoch, version, hash, parent, author, note, body };
      history.record({ ...entry, at: createdAt, by: "", bytes: null });
    });
  }

  /** Resolves when everything asked for so far is done. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  /**
   * A node by its id, the name the config gives it, or as core knows it. A full id is taken as it is: the node may be yet to come.
   * @throws {PulseError} NODE_UNKNOWN, NODE_AMBIGUOUS
   */
  async node(text: string): Promise<NodeId> {
    if (/^[0-9a-f]{32}$/.test(text)) return text;
    const { body } = await this.#options.mesh.current();
    const name = text.toLowerCase().replace(/\.pulse$/, "");
    const named = Object.keys(body.nodes).find((id) => entryOf(body, id).name === name);
    return named ?? await this.#options.host.resolveNode(text);
  }

  /** What a change may look at. */
  context(nodes: readonly DirectoryNode[]): ChangeContext {
    return { now: this.#options.now(), self: this.#options.self, nodes };
  }

  async #attempt<A>(
    change: Change<A>,
    argument: A,
    event: ChangeEvent,
    request: ChangeRequest,
  ): Promise<ChangeOutcome> {
    const { mesh, self, now, history } = this.#options;
    const [current, nodes] = await Promise.all([mesh.current(), mesh.directory()]);
    requireMatch(current, request.ifMatch);
    requireScribe(current);
    const { body, note: fullNote } = change(current.body, argument, this.context(nodes));
    const note = fullNote.slice(0, maxNote);
    if (body === current.body) {
      return { version: versionText(current), changed: false, note, body };
    }
    if (!request.force) requireAssertions(current.body, body, nodes);
    const made = await mesh.publish(body, note, current);
    const { epoch, version, hash, bytes } = made;
    const parent = current.version === 0 ? null : current.hash;
    const { by } = request;
    try {
      history.record({
        epoch,
        version,
        hash,
        bytes,
        body,
        note,
        by,
        parent,
        author: self,
        at: now(),
      });
    } catch (error) {
      // It is published: a full disk costs the memory of it, never the change.
      this.#options.log("error", "a version of the network config is missing in the history", {
        version: versionText(made),
        error: errorText(error),
      });
    }
    this.#report(event, current, { ...made, body }, note, request);
    return { version: versionText(made), changed: true, note, body };
  }

  #report(
    event: ChangeEvent,
    before: CurrentConfig,
    after: { readonly epoch: number; readonly version: number; readonly body: ConfigBody },
    note: string,
    request: ChangeRequest,
  ): void {
    const { emit } = this.#options.host;
    const fields = {
      note,
      version: versionText(after),
      previous: versionText(before),
      ...(event.node !== undefined && { node: event.node }),
      ...(request.force && { forced: true }),
      before: summary(event.about(before.body)),
      after: summary(event.about(after.body)),
    };
    emit(event.type, { by: request.by, ...fields });
    emit("audit", { ...whoAsks(request.by), change: event.type, ...fields });
  }

  async #checkMatch(ifMatch: string, cause: unknown): Promise<void> {
    requireMatch(await this.#options.mesh.current(), ifMatch, cause);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    // A change that fails is its caller's concern and keeps nobody behind it waiting.
    this.#queue = done.catch(() => {});
    return done;
  }
}

function requireMatch(current: CurrentConfig, ifMatch: string | undefined, cause?: unknown): void {
  const version = versionText(current);
  if (ifMatch === undefined || ifMatch === "*" || ifMatch === version) return;
  throw new ScribeError(
    "CONFIG_CONFLICT",
    `the network config is at version ${version}, the change was made for ${
      ifMatch.slice(0, 40)
    }: look at it again and repeat the change`,
    { expected: ifMatch.slice(0, 40), current: version },
    cause,
  );
}

function requireScribe(current: CurrentConfig): void {
  if (current.scribe) return;
  throw new ScribeError(
    "NETCONFIG_NOT_SCRIBE",
    "this node is not the network's scribe: ask the one that is, or let the CA grant it with pulse ca grant scribe",
  );
}

function requireAssertions(
  before: ConfigBody,
  after: ConfigBody,
  nodes: readonly DirectoryNode[],
): void {
  const broken = brokenAssertions(before, after, nodes);
  if (broken.length === 0) return;
  throw new ScribeError(
    "ACL_ASSERTION_BROKEN",
    `the change breaks what is expected of the policy: ${
      broken.slice(0, 3).join("; ")
    }. Change the rules or the assertion, or force it`,
    { broken: broken.slice(0, 20) },
  );
}

/** Events are bounded; a long list says how long it is. */
function summary(value: Json): Json {
  const text = JSON.stringify(value);
  return text.length <= 1_000 ? value : `${text.slice(0, 1_000)}...`;
}
