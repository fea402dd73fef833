import { isIP } from "node:net";
import { canonicalName, isPlainName } from "./dns_name.ts";
import { readRecord } from "./read_record.ts";
import { ResourceRecord } from "./resource_record.ts";
import { reverseName, ReverseZones } from "./reverse_zone.ts";
import type { DirectoryNode, Snapshot } from "./snapshot.ts";

export const meshZone = "pulse";

/** Seconds. Nodes are renamed and move, and a change is to be seen soon. */
export const nodeTtl = 5;
export const negativeTtl = 2;

/** Every name the mesh has, as records by owner. */
export class DirectoryIndex {
  /** Configured records that could not be used, and why. */
  readonly faults: readonly string[];
  readonly reverse: ReverseZones;
  readonly #names = new Map<string, ResourceRecord[]>();
  readonly #serial: number;
  /** The node that answers: the zone's primary. */
  readonly #primary: string;
  readonly #authority = new Map<string, readonly [ResourceRecord, ResourceRecord]>();

  constructor(snapshot: Snapshot) {
    this.reverse = new ReverseZones(snapshot.meshCidr, snapshot.network);
    this.#serial = snapshot.version >>> 0;
    // By id first: a name that looks like another node's id leads to that node and nowhere else.
    const ids = new Set(snapshot.nodes.map((node) => node.id));
    let primary = `${snapshot.self}.${meshZone}`;
    for (const node of snapshot.nodes) {
      const id = `${node.id}.${meshZone}`;
      const label = node.name?.toLowerCase();
      const named = label !== undefined && isPlainName(label) && !label.includes(".") &&
        !ids.has(label);
      const best = named ? `${label}.${meshZone}` : id;
      this.#addNode(id, best, node);
      if (named) this.#addNode(best, best, node);
      for (const address of node.meshAddresses) {
        if (isIP(address) === 0) continue;
        this.#add(
          new ResourceRecord(reverseName(address), { type: "PTR", ttl: nodeTtl, data: best }),
        );
      }
      if (node.id === snapshot.self) primary = best;
    }
    this.#primary = primary;
    this.faults = this.#addConfigured(snapshot);
    this.#addBranches();
    this.#names.set(meshZone, [...this.authority(meshZone)]);
  }

  /** Records of a name; empty for a name that only has others below it; undefined for no name at all. */
  find(name: string): readonly ResourceRecord[] | undefined {
    return this.#names.get(name);
  }

  /** SOA and NS of a zone. */
  authority(apex: string): readonly [ResourceRecord, ResourceRecord] {
    const known = this.#authority.get(apex);
    if (known !== undefined) return known;
    const made = [
      new ResourceRecord(apex, {
        type: "SOA",
        ttl: negativeTtl,
        data: {
          mname: this.#primary,
          rname: `hostmaster.${meshZone}`,
          serial: this.#serial,
          refresh: 60,
          retry: 30,
          expire: 300,
          minimum: negativeTtl,
        },
      }),
      new ResourceRecord(apex, { type: "NS", ttl: nodeTtl, data: this.#primary }),
    ] as const;
    // One per zone; a mesh range that is cut at octets has 256 at most ahead of each other, more are not kept.
    if (this.#authority.size < 256) this.#authority.set(apex, made);
    return made;
  }

  #add(record: ResourceRecord): void {
    const known = this.#names.get(record.owner);
    if (known === undefined) this.#names.set(record.owner, [record]);
    else known.push(record);
  }

  #addNode(owner: string, best: string, node: DirectoryNode): void {
    this.#addAddresses(owner, node);
    const data = [`id=${node.id}`, ...node.tags.map((tag) => `tag=${tag}`)];
    this.#add(new ResourceRecord(owner, { type: "TXT", ttl: nodeTtl, data }));
    for (const { name, port } of node.services) {
      const label = name.toLowerCase();
      if (!isPlainName(label) || label.includes(".")) continue;
      this.#addAddresses(`${label}.${owner}`, node);
      for (const service of [`${label}.${owner}`, `_${label}._tcp.${owner}`]) {
        if (!isPlainName(service)) continue;
        const data = { priority: 0, weight: 0, port, target: best };
        this.#add(new ResourceRecord(service, { type: "SRV", ttl: nodeTtl, data }));
      }
    }
  }

  #addAddresses(owner: string, { meshAddresses }: DirectoryNode): void {
    for (const data of meshAddresses) {
      const family = isIP(data);
      if (family === 0) continue;
      const type = family === 4 ? "A" : "AAAA";
      this.#add(new ResourceRecord(owner, { type, ttl: nodeTtl, data }));
    }
  }

  /** Configured records stand beside what a node has. An alias can stand beside nothing (RFC 1034 section 3.6.2), so it gives way. */
  #addConfigured({ records }: Snapshot): string[] {
    const faults: string[] = [];
    const aliases: ResourceRecord[] = [];
    for (const each of records) {
      const owner = `${canonicalName(each.name)}.${meshZone}`;
      const record = isPlainName(owner) ? readRecord(owner, each) : "its name is not usable";
      if (typeof record === "string") faults.push(`${each.name} ${each.type}: ${record}`);
      else if (record.target === undefined) this.#add(record);
      else aliases.push(record);
    }
    for (const alias of aliases) {
      if (this.#names.has(alias.owner)) {
        faults.push(`${alias.owner} CNAME: the name has other records, or is another alias`);
      } else this.#add(alias);
    }
    return faults;
  }

  /** A name above another one exists, though it has no records: RFC 8020. */
  #addBranches(): void {
    const end = `.${meshZone}`;
    for (const name of [...this.#names.keys()]) {
      if (!name.endsWith(end)) continue;
      let parent = name;
      for (;;) {
        parent = parent.slice(parent.indexOf(".") + 1);
        if (parent === meshZone || this.#names.has(parent)) break;
        this.#names.set(parent, []);
      }
    }
  }
}
