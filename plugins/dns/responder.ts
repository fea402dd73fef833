import type { Directory } from "./directory.ts";
import type { DirectoryIndex } from "./directory_index.ts";
import { maxTcpBytes, rcode, rrType } from "./constants.ts";
import { type Query, readQuery } from "./query.ts";
import { bareReply, encodeResponse, faultResponse, type Reply, udpLimit } from "./response.ts";
import type { Forwarder } from "./upstream/forwarder.ts";
import { answerFromZone, isMeshName } from "./zone.ts";

export type Transport = "udp" | "tcp";

/** Null: nothing is to be sent. */
export type Response = Uint8Array<ArrayBuffer> | null;

/** From the bytes of a question to the bytes of its answer. */
export class Responder {
  readonly #directory: Directory;
  readonly #forwarder: Forwarder | undefined;
  /** Answers since the start, by RCODE. */
  readonly answered = new Map<number, number>();

  constructor(directory: Directory, forwarder: Forwarder | undefined) {
    this.#directory = directory;
    this.#forwarder = forwarder;
  }

  /**
   * Answers at once where it can: only a look at core or at an upstream has to be waited for.
   * @param message belongs to the caller again when this returns
   */
  respond(message: Uint8Array, transport: Transport): Response | Promise<Response> {
    const query = readQuery(message);
    if (query === null) return null;
    if (query.fault !== rcode.noError) {
      return this.#count(query.fault, faultResponse(query, this.#forwarder !== undefined));
    }
    const index = this.#directory.fresh;
    if (index === undefined) return this.#later(kept(query), transport);
    return this.#answer(query, transport, index);
  }

  async #later(query: Query, transport: Transport): Promise<Response> {
    return await this.#answer(query, transport, await this.#directory.read());
  }

  #answer(
    query: Query,
    transport: Transport,
    index: DirectoryIndex | undefined,
  ): Response | Promise<Response> {
    const limit = transport === "udp" ? udpLimit(query) : maxTcpBytes;
    const recursion = this.#forwarder !== undefined;
    const finish = (reply: Reply) =>
      this.#count(reply.rcode, encodeResponse(query, reply, { limit, recursion }));
    const reply = index === undefined
      ? withoutIndex(query.name)
      : answerFromZone(index, query.name, query.type);
    if (reply !== null) {
      return needsUpstream(query, reply) && this.#forwarder !== undefined
        ? this.#follow(this.#forwarder, kept(query), reply, limit)
        : finish(reply);
    }
    if (this.#forwarder === undefined || !query.recursionDesired) {
      return finish(bareReply(rcode.refused));
    }
    return this.#forward(this.#forwarder, query, limit);
  }

  #forward(forwarder: Forwarder, query: Query, limit: number): Response | Promise<Response> {
    const cached = forwarder.fromCache(query, limit);
    if (cached !== undefined) return this.#count(cached[3]! & 15, cached);
    return forwarder.ask(kept(query), limit).then((response) =>
      this.#count(response[3]! & 15, response)
    );
  }

  /** An alias that leads out of the mesh: programs without a resolver of their own want its addresses too. */
  async #follow(
    forwarder: Forwarder,
    query: Query,
    reply: Reply,
    limit: number,
  ): Promise<Response> {
    const found = await forwarder.addresses(reply.outside ?? "", query.type);
    // RFC 6604: the code is that of the end of the chain.
    const whole = { ...reply, rcode: found.rcode, answers: [...reply.answers, ...found.records] };
    return this.#count(whole.rcode, encodeResponse(query, whole, { limit, recursion: true }));
  }

  #count(code: number, response: Response): Response {
    this.answered.set(code, (this.answered.get(code) ?? 0) + 1);
    return response;
  }
}

/** While core has not said yet what the mesh is: which reverse zones are its own is not known either, so none of them leaves the node. */
function withoutIndex(name: string): Reply | null {
  const ours = isMeshName(name) || name === "arpa" || name.endsWith(".arpa");
  return ours ? bareReply(rcode.servFail) : null;
}

function needsUpstream({ recursionDesired, type }: Query, { outside }: Reply): boolean {
  return outside !== undefined && recursionDesired && (type === rrType.A || type === rrType.AAAA);
}

/** The buffer a query was read from is used for the next one. */
function kept(query: Query): Query {
  return { ...query, question: query.question.slice() };
}
