// @ts-types="./dns_packet.d.ts"
import packet from "dns-packet";
import type { PacketRecord } from "./dns_packet.d.ts";
import { rrType } from "./constants.ts";
import { encodeName } from "./dns_name.ts";

/** What a record holds; its owner is beside it. */
export type RecordContent = PacketRecord extends infer Each
  ? Each extends PacketRecord ? Omit<Each, "name"> : never
  : never;

/** A record as messages hold it. */
export interface WireRecord {
  /** Lower case, without the final dot. */
  readonly owner: string;
  readonly type: number;
  readonly ownerBytes: Uint8Array;
  /** Type, class, TTL, length and data. */
  readonly body: Uint8Array;
}

/** A record of a zone. Its bytes are made when they are first asked for, and then once. */
export class ResourceRecord implements WireRecord {
  readonly owner: string;
  readonly type: number;
  readonly #content: RecordContent;
  #ownerBytes: Uint8Array | undefined;
  #body: Uint8Array | undefined;

  constructor(owner: string, content: RecordContent) {
    this.owner = owner;
    this.type = rrType[content.type];
    this.#content = content;
  }

  get ownerBytes(): Uint8Array {
    return this.#ownerBytes ??= encodeName(this.owner);
  }

  get body(): Uint8Array {
    // Made for the root, whose name is one byte: the owner is put before it later.
    return this.#body ??= packet.answer.encode(
      { name: ".", ...this.#content } as PacketRecord,
    ).subarray(1);
  }

  /** Of a CNAME: where it leads. */
  get target(): string | undefined {
    return this.#content.type === "CNAME" ? this.#content.data : undefined;
  }

  /** Of an SRV or NS record: the host whose addresses come along. */
  get host(): string | undefined {
    if (this.#content.type === "SRV") return this.#content.data.target;
    return this.#content.type === "NS" ? this.#content.data : undefined;
  }
}
